using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Planning;

/// <summary>The matrices beside the decoder's blocks that options store at 8 bits.</summary>
public static class CodedParts
{
    /// <summary>Their names.</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="config">What it is made of.</param>
    /// <param name="options">Say which parts.</param>
    public static IReadOnlySet<string> Of(ITensorSource source, ModelConfig config, QuantizationOptions options)
    {
        var decoder = config.Decoder();
        string[] head = options.Head == PartKind.W8 ? [decoder.Embedding, decoder.Head] : [];
        var towers = options.Towers == PartKind.W8 ? config.VisionTower().Blocks.Concat(config.VisionTower().Mergers).Concat(config.AudioTower() is { } audio ? audio.Blocks.Append(audio.Exit) : []) : [];
        return head.Where(name => Fits(source, name)).Concat(towers.SelectMany(block => block.Projections.SelectMany(step => Of(source, step, block.Prefix)))).ToHashSet(StringComparer.Ordinal);
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
