using MASQuant.Diagnostics;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Planning;

/// <summary>The matrices beside the decoder's blocks that options store as codes.</summary>
public static class CodedParts
{
    /// <summary>The names of those at 8 bits.</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="config">What it is made of.</param>
    /// <param name="options">Say which parts.</param>
    public static IReadOnlySet<string> Of(ITensorSource source, ModelConfig config, QuantizationOptions options)
    {
        var decoder = config.Decoder();
        string[] head = options.Head == PartKind.W8 ? [decoder.Embedding, decoder.Head] : [];
        var towers = options.Towers == PartKind.W8 ? config.VisionTower().Blocks.Concat(config.VisionTower().Mergers).Concat(config.AudioTower() is { } audio ? audio.Blocks.Append(audio.Exit) : []) : [];
        var layers = towers.SelectMany(block => block.Projections.Select(step => (Step: step, block.Prefix))).Concat(GuessHead(source, config, options)?.Projections ?? []);
        return head.Where(name => Fits(source, name)).Concat(layers.SelectMany(layer => Of(source, layer.Step, layer.Prefix))).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The head that guesses ahead, where options store it; null: nothing is stored of it.</summary>
    /// <exception cref="MASQuantException">MASQ0502: the checkpoint has none, or the copy of the head has more codes than a matrix may.</exception>
    public static GuessHeadDescription? GuessHead(ITensorSource source, ModelConfig config, QuantizationOptions options)
    {
        if (options.GuessHead == GuessHeadKind.None)
        {
            return null;
        }

        var decoder = config.Decoder();
        return decoder.GuessHead is { } head && source.TryGet(GuessHeadDescription.Prefix + head.Join.Linears[0].Name + ".weight", out _) && Fits(source, decoder.Head)
            ? head
            : throw new MASQuantException(DiagnosticCodes.OptionNotAllowed, source.Path, $"GuessHead is '{options.GuessHead}', and the checkpoint has no head that guesses ahead ({GuessHeadDescription.Prefix}*). Use a checkpoint that brings it, or leave the option out.");
    }

    // All layers of a step or none: they read the same codes.
    private static string[] Of(ITensorSource source, ProjectStep step, string prefix)
    {
        string[] names = step.IsStoredAsOne(source, prefix)
            ? step.Linears.All(layer => layer.Outputs % PackingLayout.PanelOutputs == 0) ? [$"{prefix}{step.FusedName}.weight"] : []
            : [.. step.Linears.Select(layer => $"{prefix}{layer.Name}.weight")];
        return names.All(name => Fits(source, name)) ? names : [];
    }

    private static bool Fits(ITensorSource source, string name)
        => source.TryGet(name, out var tensor) && tensor.Shape.Count >= 2 && tensor.Shape[0] > 0 && tensor.Count / tensor.Shape[0] is var inputs and <= int.MaxValue && CodedMatrix.Fits(tensor.Shape[0], (int)inputs);
}
