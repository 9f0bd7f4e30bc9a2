using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>A linear layer of a tower as a checkpoint stores it: <c>NAME.weight</c> and <c>NAME.bias</c>.</summary>
/// <param name="Name">The tensors' name.</param>
/// <param name="Outputs">N.</param>
/// <param name="HasBias">Whether there is a bias.</param>
internal readonly record struct TowerLinear(string Name, int Outputs, bool HasBias = true)
{
    /// <summary>N on a device: the kernels' panels are filled with zeros.</summary>
    public int PaddedOutputs => Pad(Outputs);

    /// <summary>N rounded up to whole panels.</summary>
    public static int Pad(int outputs) => (outputs + GemmKernels.PanelOutputs - 1) / GemmKernels.PanelOutputs * GemmKernels.PanelOutputs;

    /// <summary>Adds layers with the same input to an upload, side by side, each padded.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static DeviceWeight Add(DeviceUpload upload, ITensorSource source, int inputs, params ReadOnlySpan<TowerLinear> layers)
    {
        var (weights, biases) = (new List<ReadOnlyMemory<byte>>(), new List<float>());
        foreach (var layer in layers)
        {
            weights.Add(PadRows(BFloat16Tensor.Read(source, layer.Name + ".weight", layer.Outputs, inputs), checked(layer.PaddedOutputs * inputs * sizeof(ushort))));
            biases.AddRange(layer.HasBias ? source.ReadFloats(layer.Name + ".bias", layer.Outputs) : new float[layer.Outputs]);
            biases.AddRange(new float[layer.PaddedOutputs - layer.Outputs]);
        }

        return new DeviceWeight(upload, weights, inputs, biases.Exists(bias => bias != 0) ? [.. biases] : []);
    }

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
