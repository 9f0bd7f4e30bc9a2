using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;

namespace MASQuant.Quantization.Calibration;

/// <summary>Turns a calibration set into what the first decoder block reads.</summary>
public static class CalibrationSequences
{
    /// <summary>Tokenizes every conversation, runs its media through their towers and embeds it; in the order of the set.</summary>
    /// <exception cref="MASQuantException">A medium cannot be read; a file or tensor of the model is missing or malformed.</exception>
    public static IReadOnlyList<CalibrationSequence> Embed(IModelSource source, ModelConfig config, CalibrationSet set, ImageBudget budget, CancellationToken cancellationToken)
    {
        var encoder = new PromptEncoder(source, config, budget);
        var positions = config.Decoder().Rotary;
        var sequences = new CalibrationSequence[set.Conversations.Count];
        Workers.For(sequences.Length, i =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            var conversation = set.Conversations[i];
            var prompt = conversation.Placed(() => encoder.Prepare(conversation.Messages, cancellationToken));
            var rotary = new RotaryTable(positions);
            rotary.Set(prompt.PositionIds);
            sequences[i] = new CalibrationSequence
            {
                Modalities = prompt.Modalities,
                InputIds = prompt.InputIds,
                AnswerRange = prompt.AnswerRange,
                Rotary = rotary,
                Deepstack = prompt.Deepstack,
                Exact = prompt.InputEmbeddings,
                Quantized = prompt.InputEmbeddings,
            };
        });
        return sequences;
    }
}
