using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;

namespace MASQuant.Engine.Tests.Artifacts;

/// <summary>An artifact of a sample checkpoint whose decoder blocks are random.</summary>
internal static class RandomArtifact
{
    /// <summary>Writes it into a folder and gives its path.</summary>
    public static string Write(string folder, string checkpoint, QuantizationScheme scheme)
    {
        using var source = Checkpoint.Open(checkpoint);
        var config = ModelConfigReader.Read(source).Text;
        QuantizedLayer[] layers = [.. Enumerable.Range(0, config.Layers).Select(i => RandomLayer.Create(i, i, config, scheme))];
        string[] files = [.. layers.Select(layer => Path.Combine(folder, $"layer-{layer.Index}"))];
        foreach (var (layer, file) in layers.Zip(files))
        {
            LayerFile.Write(file, layer);
        }

        return Path.Combine(folder, ArtifactWriter.Write(folder, RandomLayer.Manifest([.. layers.Select(layer => RandomLayer.Describe(layer, config))]), source, files).Artifact);
    }
}
