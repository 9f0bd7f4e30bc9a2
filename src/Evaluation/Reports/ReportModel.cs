using MASQuant.Formats.Artifacts;
using MASQuant.Platform;
using MASQuant.Quantization.Facts;

namespace MASQuant.Evaluation.Reports;

/// <summary>A quantized model as reports see it.</summary>
/// <param name="Manifest">What the manifest says.</param>
/// <param name="Facts">What the run left beside it, or null.</param>
/// <param name="Times">How long the run took, or null.</param>
public sealed record ReportModel(Manifest Manifest, RunFacts? Facts, RunTimes? Times)
{
    /// <summary>Reads an artifact or a manifest, and the facts beside it as far as they are there and fit.</summary>
    /// <exception cref="MASQuantException">The file cannot be read.</exception>
    public static ReportModel Read(string path)
    {
        var manifest = ReadManifest(path);
        var facts = FactsFile.ReadFacts(path);
        var times = FactsFile.ReadTimes(path);
        return new ReportModel(
            manifest,
            facts?.Blocks.Count == manifest.Layers.Count ? facts : null,
            times?.Blocks.Count == manifest.Layers.Count ? times : null);
    }

    private static Manifest ReadManifest(string path)
    {
        if (path.EndsWith(ModelFiles.ManifestSuffix, StringComparison.Ordinal))
        {
            return ManifestFile.Read(path);
        }

        // The copy inside an artifact lacks its size.
        using var artifact = Artifact.Open(path);
        return artifact.Manifest with { ArtifactBytes = FileSystem.Current.Info(path).Length };
    }
}
