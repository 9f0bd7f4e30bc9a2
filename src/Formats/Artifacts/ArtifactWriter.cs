using System.Globalization;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Files;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Platform;

namespace MASQuant.Formats.Artifacts;

/// <summary>Joins a checkpoint and its quantized decoder blocks into one artifact and its manifest. Everything streams: no tensor is held in memory.</summary>
public static class ArtifactWriter
{
    /// <summary>Writes <c>{Name}.masquant.safetensors</c> and, once that is whole, <c>{Name}.masquant.json</c> into <paramref name="folder"/>.</summary>
    /// <param name="folder">Receives both files.</param>
    /// <param name="manifest">What to say of the model; the artifact's name and every size are filled in here.</param>
    /// <param name="checkpoint">Gives the tensors that are not quantized, and the JSON files.</param>
    /// <param name="layerFiles">One file of <see cref="LayerFile"/> per decoder block, in order.</param>
    /// <param name="code">Gives what takes the place of a tensor that is not a decoder block's, or null where it stays as it is; null: all stay.</param>
    /// <param name="check">Called when the artifact is written and before it gets its name: what it throws leaves no file.</param>
    /// <param name="cancellationToken">Stops between tensors; no file is left.</param>
    /// <returns>The manifest as written.</returns>
    /// <exception cref="MASQuantException">MASQ0101 … MASQ0103 an unreadable layer file, MASQ0111 a file cannot be written, MASQ0603 a layer lacks what the manifest lists.</exception>
    public static Manifest Write(string folder, Manifest manifest, IModelSource checkpoint, IReadOnlyList<string> layerFiles, Func<TensorInfo, IReadOnlyList<TensorPayload>?>? code = null, Action? check = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(layerFiles.Count, manifest.Layers.Count);
        var layers = new List<SafetensorsFile>();
        try
        {
            layers.AddRange(layerFiles.Select(SafetensorsFile.Open));
            var described = manifest with
            {
                Artifact = manifest.Name + ModelFiles.ArtifactSuffix,
                ArtifactBytes = 0,
                Layers = [.. manifest.Layers.Select(layer => CheckedWithSizes(manifest, layer, layers[layer.Index]))],
            };
            var (path, manifestPath) = (Path.Combine(folder, described.Artifact), Path.Combine(folder, manifest.Name + ModelFiles.ManifestSuffix));
            SafetensorsWriter.Write(path, Payloads(described, checkpoint, layers, code), Metadata(), Check, cancellationToken);
            described = described with { ArtifactBytes = FileBorder.Read(path, () => FileSystem.Current.Info(path).Length) };
            ManifestFile.Write(manifestPath, described);
            return described;

            // A manifest does not lie beside an artifact that it does not describe, whenever the process or the machine stops.
            void Check()
            {
                check?.Invoke();
                FileBorder.Write(manifestPath, () => FileSystem.Current.Delete(manifestPath));
            }
        }
        finally
        {
            layers.ForEach(layer => layer.Dispose());
        }
    }

    private static Dictionary<string, string> Metadata() => new()
    {
        [ArtifactNames.FormatKey] = ArtifactNames.Format,
        [ArtifactNames.VersionKey] = Manifest.CurrentFormatVersion.ToString(CultureInfo.InvariantCulture),
    };

    private static IEnumerable<TensorPayload> Payloads(Manifest manifest, IModelSource checkpoint, List<SafetensorsFile> layers, Func<TensorInfo, IReadOnlyList<TensorPayload>?>? code)
    {
        var replaced = manifest.Layers
            .SelectMany(layer => layer.Linears.Select(linear => ArtifactNames.Linear(layer.Index, linear.Name)))
            .SelectMany(name => new[] { $"{name}.weight", $"{name}.bias" })
            .ToHashSet(StringComparer.Ordinal);
        var kept = checkpoint.Tensors.Where(tensor => !replaced.Contains(tensor.Name)).SelectMany(tensor => code?.Invoke(tensor) ?? [TensorPayload.From(checkpoint, tensor)]);
        var quantized = layers.SelectMany(layer => layer.Tensors.Select(tensor => TensorPayload.From(layer, tensor)));
        return [.. kept, .. quantized, .. Files(manifest, checkpoint)];
    }

    private static IEnumerable<TensorPayload> Files(Manifest manifest, IModelSource checkpoint)
    {
        foreach (var name in ArtifactNames.EmbeddedFiles)
        {
            if (checkpoint.TryReadFile(name, out var content))
            {
                yield return File(name, content);
            }
        }

        yield return File(ArtifactNames.ManifestFileName, ManifestFile.Serialize(manifest));
    }

    private static TensorPayload File(string name, ReadOnlyMemory<byte> content)
        => TensorPayload.OfBytes(ArtifactNames.FilePrefix + name, DataType.U8, content, content.Length);

    private static ManifestLayer CheckedWithSizes(Manifest manifest, ManifestLayer layer, SafetensorsFile file)
    {
        foreach (var linear in layer.Linears)
        {
            LayerTensors.Check(file, manifest, layer.Index, linear);
        }

        var groups = new HashSet<string>(StringComparer.Ordinal);
        return layer with { Linears = [.. layer.Linears.Select(linear => linear with { Bytes = StoredBytes(file, layer.Index, linear, groups.Add(linear.Group)) })] };
    }

    private static long StoredBytes(SafetensorsFile file, int layer, ManifestLinear linear, bool first)
    {
        var prefix = ArtifactNames.Linear(layer, linear.Name) + ".";
        var group = ArtifactNames.Group(layer, Enum.Parse<InputGroup>(linear.Group));
        return file.Tensors
            .Where(tensor => tensor.Name.StartsWith(prefix, StringComparison.Ordinal) || (first && tensor.Name.StartsWith(group, StringComparison.Ordinal)))
            .Sum(tensor => tensor.Count * tensor.Type.ByteSize());
    }
}
