using MASQuant.Diagnostics;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Artifacts;

/// <summary>Keeps a finished decoder block in a file of its own until the artifact is written, so that memory holds one block and an interrupted run resumes. Its tensors bear the artifact's names; its metadata holds each linear layer's scheme.</summary>
public static class LayerFile
{
    private const string IndexKey = "layer";

    /// <summary>Writes a block; the file appears only when it is whole.</summary>
    /// <exception cref="MASQuantException">MASQ0111: the file cannot be written.</exception>
    public static void Write(string path, QuantizedLayer layer)
    {
        var metadata = layer.Linears.ToDictionary(linear => linear.Key, linear => linear.Value.Scheme.ToString(), StringComparer.Ordinal);
        metadata[IndexKey] = $"{layer.Index}";
        SafetensorsWriter.Write(path, LayerTensors.Of(layer), metadata);
    }

    /// <summary>Reads a block back, into memory.</summary>
    /// <exception cref="MASQuantException">MASQ0101 … MASQ0103 unreadable, MASQ0603 not layer <paramref name="index"/> of this model.</exception>
    public static QuantizedLayer Read(string path, int index, DecoderDescription decoder)
    {
        using var file = SafetensorsFile.Open(path);
        if (!file.Metadata.TryGetValue(IndexKey, out var stored) || stored != $"{index}")
        {
            throw Invalid(path, $"The file does not hold layer {index}.");
        }

        var linears = decoder.Blocks[index].Linears.Where(linear => file.Metadata.ContainsKey(linear.Name)).ToArray();
        return new QuantizedLayer
        {
            Index = index,
            Linears = linears.ToDictionary(linear => linear.Name, linear => ReadLinear(file, index, linear)),
            Inputs = linears.DistinctBy(linear => linear.Group)
                .ToDictionary(linear => linear.Group, linear => LayerTensors.ReadInput(file, index, linear.Group, linear.Inputs)),
        };
    }

    private static QuantizedWeight ReadLinear(SafetensorsFile file, int index, DecoderLinear linear)
    {
        if (!QuantizationScheme.TryParse(file.Metadata[linear.Name], out var scheme))
        {
            throw Invalid(file.Path, $"'{file.Metadata[linear.Name]}' is no scheme.");
        }

        var mapped = LayerTensors.ReadLinear(file, index, linear.Name, scheme, linear.Outputs, linear.Inputs);
        return new QuantizedWeight
        {
            Scheme = scheme,
            Outputs = mapped.Outputs,
            Inputs = mapped.Inputs,
            Codes = mapped.Codes.ToArray(),
            Scales = mapped.Scales.ToArray(),
            ZeroPoints = mapped.ZeroPoints.ToArray(),
            GroupScales = mapped.GroupScales.ToArray(),
            Bias = mapped.Bias,
            Patches = mapped.Patches,
        };
    }

    private static MASQuantException Invalid(string path, string message)
        => new(DiagnosticCodes.ArtifactInvalid, path, $"{message} Delete it and quantize again.");
}
