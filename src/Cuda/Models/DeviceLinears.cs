using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>Reads the full-precision layers of a step onto a device, as BF16.</summary>
internal static class DeviceLinears
{
    /// <summary>Adds layers with the same input to an upload, side by side.</summary>
    /// <param name="upload">Receives them.</param>
    /// <param name="source">Is not kept.</param>
    /// <param name="step">Names and extents.</param>
    /// <param name="prefix">What precedes the names.</param>
    /// <param name="pads">Whether each layer is filled up with zeros to whole panels of the kernels.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite; MASQ0501 a shape that the kernels do not take.</exception>
    public static DeviceInputGroup Read(DeviceUpload upload, ITensorSource source, ProjectStep step, string prefix, bool pads = false)
    {
        var inputs = step.Linears[0].Inputs;
        var (weights, biases) = (new List<ReadOnlyMemory<byte>>(), new List<float>());
        foreach (var (layer, weight, bias) in step.IsStoredAsOne(source, prefix) ? Parts(source, step, prefix) : step.Linears.Select(layer => Whole(source, layer, prefix)))
        {
            var outputs = pads ? Pad(layer.Outputs) : layer.Outputs;
            weights.Add(PadRows(weight, checked(outputs * inputs * sizeof(ushort))));
            biases.AddRange(bias.Length > 0 ? bias : new float[layer.Outputs]);
            biases.AddRange(new float[outputs - layer.Outputs]);
        }

        return new DeviceInputGroup(new DeviceWeight(upload, weights, inputs, biases.Exists(bias => bias != 0) ? [.. biases] : []));
    }

    /// <summary>Adds one layer as it is.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite; MASQ0501 a shape that the kernels do not take.</exception>
    public static DeviceWeight Read(DeviceUpload upload, ITensorSource source, LinearDescription layer) => Read(upload, source, new ProjectStep([layer]), "").Weight;

    private static (LinearDescription Layer, ReadOnlyMemory<byte> Weight, float[] Bias) Whole(ITensorSource source, LinearDescription layer, string prefix)
        => (layer, BFloat16Tensor.Read(source, $"{prefix}{layer.Name}.weight", layer.Outputs, layer.Inputs), source.ReadBias(layer, prefix));

    private static IEnumerable<(LinearDescription Layer, ReadOnlyMemory<byte> Weight, float[] Bias)> Parts(ITensorSource source, ProjectStep step, string prefix)
    {
        var stored = step.Linears[0] with { Name = step.FusedName!, Outputs = step.Linears.Sum(layer => layer.Outputs) };
        var (_, weight, bias) = Whole(source, stored, prefix);
        var first = 0;
        foreach (var layer in step.Linears)
        {
            var row = layer.Inputs * sizeof(ushort);
            yield return (layer, weight.Slice(first * row, layer.Outputs * row), bias.Length > 0 ? bias[first..(first + layer.Outputs)] : []);
            first += layer.Outputs;
        }
    }

    private static int Pad(int outputs) => (outputs + GemmKernels.PanelOutputs - 1) / GemmKernels.PanelOutputs * GemmKernels.PanelOutputs;

    private static ReadOnlyMemory<byte> PadRows(ReadOnlyMemory<byte> rows, int bytes)
    {
        if (rows.Length == bytes)
        {
            return rows;
        }

        var padded = new byte[bytes];
        rows.Span.CopyTo(padded);
        return padded;
    }
}
