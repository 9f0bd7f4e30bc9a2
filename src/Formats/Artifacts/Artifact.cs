using System.Diagnostics.CodeAnalysis;
using MASQuant.Diagnostics;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Artifacts;

/// <summary>A quantized model in one file, memory-mapped: packed decoder weights, everything else as the checkpoint had it, and the JSON files. <c>docs/artifact-format.md</c> specifies it.</summary>
public sealed class Artifact : IModelSource
{
    private readonly SafetensorsFile _file;
    private readonly TensorInfo[] _tensors;

    private readonly ModelFamilies _families;

    private Artifact(SafetensorsFile file, Manifest manifest, ModelFamilies families)
    {
        _file = file;
        _families = families;
        _tensors = [.. file.Tensors.Where(tensor => !tensor.Name.StartsWith(ArtifactNames.FilePrefix, StringComparison.Ordinal))];
        Manifest = manifest;
    }

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <summary>What is known of the model; the copy inside the artifact, whose <see cref="Manifest.ArtifactBytes"/> is 0.</summary>
    public Manifest Manifest { get; }

    /// <inheritdoc/>
    public ModelFamily Family => _families.Of(this);

    /// <inheritdoc/>
    public IReadOnlyCollection<TensorInfo> Tensors => _tensors;

    /// <summary>Maps an artifact and checks that it holds every tensor that its manifest lists.</summary>
    /// <param name="path">The file.</param>
    /// <param name="families">The families to recognise; null for the supported ones.</param>
    /// <exception cref="MASQuantException">MASQ0101 … MASQ0104 unreadable, MASQ0601 no artifact, MASQ0602 another format version, MASQ0603 incomplete, MASQ0604 a malformed manifest.</exception>
    public static Artifact Open(string path, ModelFamilies? families = null)
    {
        var file = SafetensorsFile.Open(path);
        try
        {
            CheckFormat(file);
            var artifact = new Artifact(file, ManifestFile.Parse(file.Bytes(ArtifactNames.FilePrefix + ArtifactNames.ManifestFileName), path), families ?? ModelFamilies.Known);
            foreach (var layer in artifact.Manifest.Layers)
            {
                foreach (var linear in layer.Linears)
                {
                    LayerTensors.Check(file, artifact.Manifest, layer.Index, linear);
                }
            }

            return artifact;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor) => _file.TryGet(name, out tensor);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Bytes(string name) => _file.Bytes(name);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Bytes(string name, long offset, int count) => _file.Bytes(name, offset, count);

    /// <inheritdoc/>
    public void Discard(string name) => _file.Discard(name);

    /// <inheritdoc/>
    public bool TryReadFile(string fileName, out ReadOnlyMemory<byte> content)
    {
        var name = ArtifactNames.FilePrefix + fileName;
        var exists = _file.TryGet(name, out _);
        content = exists ? _file.Bytes(name) : default;
        return exists;
    }

    /// <summary>Whether linear layer <paramref name="name"/> of a block is quantized; otherwise its weight is stored as the checkpoint had it.</summary>
    public bool IsQuantized(int layer, string name) => FindLinear(layer, name) is not null;

    /// <summary>Whether the embedding, the head or a tower is at 8 bits (<see cref="CodedMatrix"/>).</summary>
    public bool HasCodedParts => _tensors.Any(tensor => tensor.Name.EndsWith(CodedMatrix.CodesSuffix, StringComparison.Ordinal) && !tensor.Name.StartsWith(ArtifactNames.Blocks, StringComparison.Ordinal));

    /// <summary>A quantized linear layer; its codes and scales stay mapped, valid until the artifact is disposed.</summary>
    /// <param name="layer">The block's number, from 0.</param>
    /// <param name="name">The name inside the block, <c>self_attn.q_proj</c>.</param>
    /// <exception cref="MASQuantException">MASQ0109 values that are not finite, MASQ0603 no such layer.</exception>
    public QuantizedWeight ReadLinear(int layer, string name)
    {
        var linear = FindLinear(layer, name) ?? throw NoSuchLayer(layer, name);
        return LayerTensors.ReadLinear(_file, layer, name, linear.ParsedScheme, linear.Outputs, linear.Inputs);
    }

    /// <summary>What an input group does to its input.</summary>
    /// <exception cref="MASQuantException">MASQ0108, MASQ0109: misshapen or not finite; MASQ0603: the group is not quantized, or its rotation impossible.</exception>
    public InputTransform ReadInput(int layer, InputGroup group)
    {
        var linear = LinearsOf(layer).FirstOrDefault(linear => linear.Group == group.ToString()) ?? throw new MASQuantException(DiagnosticCodes.ArtifactInvalid, Path,
            $"The artifact holds no quantized layer of group {group} in block {layer}. Quantize the model again.");
        return LayerTensors.ReadInput(_file, layer, group, linear.Inputs);
    }

    /// <summary>What the input group of linear layer <paramref name="name"/> does to its input.</summary>
    /// <exception cref="MASQuantException">MASQ0108, MASQ0109: misshapen or not finite; MASQ0603: no such layer is quantized, or its rotation is impossible.</exception>
    public InputTransform ReadInput(int layer, string name)
    {
        var linear = FindLinear(layer, name) ?? throw NoSuchLayer(layer, name);
        return LayerTensors.ReadInput(_file, layer, Enum.Parse<InputGroup>(linear.Group), linear.Inputs);
    }

    /// <inheritdoc/>
    public void RequireWhole() => _file.RequireWhole();

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private MASQuantException NoSuchLayer(int layer, string name) => new(DiagnosticCodes.ArtifactInvalid, Path,
        $"The artifact holds no quantized layer '{ArtifactNames.Linear(layer, name)}'. Quantize the model again.");

    private static void CheckFormat(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(ArtifactNames.FormatKey, out var format) || format != ArtifactNames.Format)
        {
            throw new MASQuantException(DiagnosticCodes.NotAnArtifact, file.Path,
                $"The file is no MASQuant artifact: its metadata lacks '{ArtifactNames.FormatKey}': '{ArtifactNames.Format}'. Give a file that ends in {ModelFiles.ArtifactSuffix}, or a checkpoint's folder.");
        }

        var version = file.Metadata.GetValueOrDefault(ArtifactNames.VersionKey, "(none)");
        if (version != $"{Manifest.CurrentFormatVersion}")
        {
            throw ManifestFile.OtherVersion(file.Path, version);
        }
    }

    private IReadOnlyList<ManifestLinear> LinearsOf(int layer)
        => layer >= 0 && layer < Manifest.Layers.Count ? Manifest.Layers[layer].Linears : [];

    private ManifestLinear? FindLinear(int layer, string name) => LinearsOf(layer).FirstOrDefault(linear => linear.Name == name);
}
