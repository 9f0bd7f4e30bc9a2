using MASQuant.Configuration;
using MASQuant.Layers;
using MASQuant.Models;
using MASQuant.Safetensors;
using MASQuant.Tensors;

namespace MASQuant.Calibration;

/// <summary>Turns a calibration set into what the first decoder block reads.</summary>
internal static class CalibrationSequences
{
    /// <summary>Tokenizes every conversation, runs its media through their towers and embeds it; in the order of the set.</summary>
    /// <exception cref="Diagnostics.MasQuantException">A medium cannot be read; a file or tensor of the model is missing or malformed.</exception>
    public static IReadOnlyList<CalibrationSequence> Embed(IModelSource source, ModelConfig config, CalibrationSet set, CancellationToken cancellation)
    {
        var encoder = new PromptEncoder(source, config);
        var sequences = new CalibrationSequence[set.Conversations.Count];
        Workers.For(sequences.Length, i =>
        {
            cancellation.ThrowIfCancellationRequested();
            var prompt = encoder.Prepare(set.Conversations[i].Messages, cancellation);
            var rotary = new RotaryTable(config.Text);
            rotary.Set(prompt.PositionIds);
            sequences[i] = new CalibrationSequence
            {
                Modalities = prompt.Modalities,
                InputIds = prompt.InputIds,
                AnswerRange = prompt.AnswerRange,
                Rotary = rotary,
                Exact = prompt.InputEmbeddings,
                Quantized = prompt.InputEmbeddings,
            };
        });
        return sequences;
    }
}
