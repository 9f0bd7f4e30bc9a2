using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Facts;

namespace MASQuant.Delivery.Caching;

/// <summary>The files that quantizing a model gives.</summary>
/// <param name="Optional">For reports; an artifact is whole without them.</param>
/// <param name="Manifest">The manifest.</param>
/// <param name="Artifact">The artifact, which appears last wherever the files go.</param>
public sealed record EntryNames(IReadOnlyList<string> Optional, string Manifest, string Artifact)
{
    /// <summary>All, the artifact last.</summary>
    public IReadOnlyList<string> All => [.. Optional, Manifest, Artifact];

    /// <summary>A model's files.</summary>
    public static EntryNames Of(string model) => new([model + FactsFile.FactsSuffix, model + FactsFile.TimesSuffix], model + ModelFiles.ManifestSuffix, model + ModelFiles.ArtifactSuffix);

    /// <summary>Whether these and no other files make an entry.</summary>
    public bool AreThose(IReadOnlyCollection<CachedFile> files)
    {
        var names = files.Select(file => file.Name).ToHashSet();
        return names.Count == files.Count && names.Contains(Manifest) && names.Contains(Artifact) && names.IsSubsetOf(All);
    }
}
