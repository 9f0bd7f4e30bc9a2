using MASQuant.Formats.Artifacts;

namespace MASQuant.Evaluation.Reports;

/// <summary>A model's schemes in a few words: <c>W4A8</c>, or <c>W4A8 and W8A8 (9 of 42 layers)</c>.</summary>
public static class SchemeMix
{
    public static string Of(Manifest manifest)
    {
        string[] schemes = [.. manifest.Layers.SelectMany(layer => layer.Linears).Select(linear => linear.Scheme)];
        var others = schemes.Where(scheme => scheme != manifest.Scheme).GroupBy(scheme => scheme).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => FormattableString.Invariant($" and {group.Key} ({group.Count()} of {schemes.Length} layers)"));
        return manifest.Scheme + string.Concat(others);
    }
}
