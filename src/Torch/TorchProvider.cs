using MASQuant.Diagnostics;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Options;
using TorchSharp;

namespace MASQuant.Torch;

/// <summary>Takes hold of libtorch.</summary>
public sealed class TorchProvider : IComputeProvider
{
    /// <inheritdoc/>
    public ICompute Open(ComputeKind kind)
    {
        TorchLibraries.Load(kind);
        return new TorchCompute(kind == ComputeKind.TorchCuda ? Cuda() : torch.CPU);
    }

    private static torch.Device Cuda() => torch.cuda_is_available() ? torch.CUDA : throw new MASQuantException(DiagnosticCodes.ComputeDeviceMissing, null,
        $"Compute={ComputeWords.Of(ComputeKind.TorchCuda)}: libtorch finds no CUDA device. The project needs {TorchLibraries.CudaPackageHere} (add <PackageReference Include=\"TorchSharp-cuda-{(OperatingSystem.IsWindows() ? "windows" : "linux")}\" ExcludeAssets=\"all\" />), the machine an NVIDIA GPU with its driver. Or quantize on the processor: {ComputeWords.Of(ComputeKind.TorchCpu)}.");
}
