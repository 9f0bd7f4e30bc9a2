using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>What a sequence takes of the processor's memory.</summary>
/// <param name="TokenBytes">Keys and values of a token in FP32, in all blocks; half of it in BF16.</param>
/// <param name="StateBytes">States and windows of convolutions, before and behind the last pass, in all blocks: the same at every length.</param>
public readonly record struct SequenceMemory(long TokenBytes, long StateBytes)
{
    /// <summary>That of a decoder's sequences.</summary>
    /// <param name="decoder">What it is made of.</param>
    /// <param name="guesses">Whether its head guesses ahead, whose block has keys and values too.</param>
    public static SequenceMemory Of(DecoderDescription decoder, bool guesses = false)
    {
        var steps = decoder.Blocks.SelectMany(block => block.Steps).Concat(guesses && decoder.GuessHead is { } head ? head.Block.Steps : []).ToArray();
        return new(
            steps.OfType<AttendStep>().Sum(step => 2L * step.KeyValueHeads * step.HeadSize * sizeof(float)),
            2 * sizeof(float) * (steps.OfType<ConvolveStep>().Sum(step => (step.Width - 1L) * step.Channels) + steps.OfType<DeltaRuleStep>().Sum(step => (long)step.ValueHeads * step.KeySize * step.ValueSize)));
    }
}
