using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Models;

/// <summary>A norm on a device.</summary>
/// <param name="Description">Kind, extent and ε.</param>
/// <param name="Gain">K values.</param>
/// <param name="Bias">K values of a layer norm.</param>
public sealed record DeviceNorm(NormDescription Description, DeviceSlot Gain, DeviceSlot Bias)
{
    /// <summary>Adds a norm to an upload.</summary>
    public static DeviceNorm Add(DeviceUpload upload, Norm norm) => new(norm.Description, upload.Add<float>(norm.Gain), upload.Add<float>(norm.Bias));

    /// <summary>stream += branch (unless null), in place; the norm of its rows becomes the input of <paramref name="reader"/>.</summary>
    public void Prepare(ICudaDevice device, DeviceTokens tokens, DevicePointer stream, DevicePointer branch, int rows, DevicePointer modalities, DeviceInputGroup reader)
    {
        var (size, epsilon) = (Description.Size, Description.Epsilon);
        tokens.Reset(rows, size, modalities);
        device.Launch(Description.Kind switch
        {
            NormKind.RootMeanSquare => PrepareKernels.Norm(stream, branch, Gain.Pointer, epsilon, rows, size, reader.SmoothingFor(modalities), tokens.Target(reader.Weight)),
            NormKind.Layer when !reader.Weight.TakesCodes => TowerKernels.LayerNorm(stream, branch, Gain.Pointer, Bias.Pointer, epsilon, rows, size, tokens.Smoothed.Rows),
            _ => throw new NotSupportedException($"CUDA has no kernel for the norm {Description.Name} before quantized layers."),
        });
    }
}
