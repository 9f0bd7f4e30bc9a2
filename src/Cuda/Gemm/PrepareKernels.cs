using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>Smoothing and quantization of the input of an input group, alone or together with what precedes it (paper Eq. 29, first factor). One block per token; equal to the CPU bit for bit. K is a multiple of 8.</summary>
public static class PrepareKernels
{
    /// <summary>Rows of prepared tokens are padded to a multiple of this.</summary>
    public const int InputMultiple = 64;

    /// <summary>The largest K: a row stands in shared memory.</summary>
    public const int MaxInputs = MaxSharedBytes / sizeof(float);

    private const int Threads = 256;
    private const int MaxSharedBytes = 96 * 1024;
    private static readonly KernelModule Module = new("prepare.sm80.ptx", 80);
    private static readonly Kernel TokensKernel = new(Module, "prepare_tokens", Threads, MaxSharedBytes);
    private static readonly Kernel NormKernel = new(Module, "prepare_norm", Threads, MaxSharedBytes);
    private static readonly Kernel GatedKernel = new(Module, "prepare_gated", Threads, MaxSharedBytes);

    /// <summary>Every kernel of the module.</summary>
    public static IReadOnlyList<Kernel> All { get; } = [TokensKernel, NormKernel, GatedKernel];

    /// <summary>K rounded up to <see cref="InputMultiple"/>.</summary>
    public static int Stride(int inputs) => checked(inputs + InputMultiple - 1) / InputMultiple * InputMultiple;

    /// <summary>Prepares <paramref name="tokens"/> rows of x, FP32, <paramref name="xStride"/> values apart.</summary>
    public static KernelLaunch Tokens(DevicePointer x, long xStride, int tokens, int inputs, in TokenSmoothing smoothing, in PreparedPointers target)
        => Launch(TokensKernel, tokens, inputs, Finish(new KernelArguments().With(x).With(xStride).With(inputs), smoothing, target));

    /// <summary>hidden += branch (unless null), in place; then RMSNorm(hidden) ⊙ gain is prepared. Both [M, K] FP32, gain [K].</summary>
    public static KernelLaunch Norm(
        DevicePointer hidden, DevicePointer branch, DevicePointer gain, float epsilon, int tokens, int inputs, in TokenSmoothing smoothing, in PreparedPointers target)
        => Launch(NormKernel, tokens, inputs, Finish(new KernelArguments().With(hidden).With(branch).With(gain).With(epsilon).With(inputs), smoothing, target));

    /// <summary>Prepares SiLU(gate) ⊙ up; rows of both are <paramref name="xStride"/> values apart, FP32.</summary>
    public static KernelLaunch Gated(DevicePointer gate, DevicePointer up, long xStride, int tokens, int inputs, in TokenSmoothing smoothing, in PreparedPointers target)
        => Launch(GatedKernel, tokens, inputs, Finish(new KernelArguments().With(gate).With(up).With(xStride).With(inputs), smoothing, target));

    private static KernelArguments Finish(KernelArguments arguments, in TokenSmoothing smoothing, in PreparedPointers target)
        => arguments.With(smoothing.Modalities).With(smoothing.Text).With(smoothing.Vision).With(smoothing.Audio)
            .With(target.Codes).With(target.Scales).With(target.Smoothed).With(target.Stride).With(target.Keep).With(target.Largest).With((int)target.Order)
            .With(smoothing.Rotation).With(smoothing.Rotation == 0 ? 1f : (float)(1 / Math.Sqrt(smoothing.Rotation))).With(smoothing.Clips);

    private static KernelLaunch Launch(Kernel kernel, int tokens, int inputs, in KernelArguments arguments)
        => new(kernel, new GridSize(tokens), checked(inputs * sizeof(float)), arguments);
}
