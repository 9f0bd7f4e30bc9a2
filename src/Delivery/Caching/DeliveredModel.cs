using MASQuant.Formats.Artifacts;
using MASQuant.Platform;

namespace MASQuant.Delivery.Caching;

/// <summary>Looks into what a cache gave: a hash says that the bytes are those somebody stored, not that they are a model.</summary>
internal static class DeliveredModel
{
    /// <summary>Whether manifest and artifact are of the model and open.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="manifest">The manifest's file.</param>
    /// <param name="artifact">The artifact's file.</param>
    public static bool Is(string name, string manifest, string artifact)
    {
        try
        {
            var described = ManifestFile.Read(manifest);
            using var opened = Artifact.Open(artifact);
            return described.Name == name && described.Quantized && described.ArtifactBytes == FileSystem.Current.Info(artifact).Length && opened.Manifest.Name == name;
        }
        catch (MASQuantException)
        {
            return false;
        }
    }
}
