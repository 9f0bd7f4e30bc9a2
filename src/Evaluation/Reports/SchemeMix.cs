using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Options;

namespace MASQuant.Evaluation.Reports;

/// <summary>A model's schemes in a few words: <c>W4A8</c>, or <c>W4A8 and W8A8 (9 of 42 layers), head at 8 bits</c>.</summary>
public static class SchemeMix
{
    private static readonly (string Option, string Name)[] Parts = [(nameof(QuantizationOptions.Head), "head"), (nameof(QuantizationOptions.Towers), "towers")];

    public static string Of(Manifest manifest)
    {
        string[] schemes = [.. manifest.Layers.SelectMany(layer => layer.Linears).Select(linear => linear.Scheme)];
        var others = schemes.Where(scheme => scheme != manifest.Scheme).GroupBy(scheme => scheme).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => FormattableString.Invariant($" and {group.Key} ({group.Count()} of {schemes.Length} layers)"));
        string[] parts = [.. Parts.Where(part => manifest.Options.GetValueOrDefault(part.Option) == nameof(PartKind.W8)).Select(part => part.Name)];
        return manifest.Scheme + string.Concat(others) + (parts.Length > 0 ? $", {string.Join(" and ", parts)} at 8 bits" : "");
    }
}
