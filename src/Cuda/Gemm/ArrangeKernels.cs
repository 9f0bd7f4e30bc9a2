using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>Brings BF16 weights into fragment order on the device, so that they stream from the mapped file as they are.</summary>
public static class ArrangeKernels
{
    private const int PieceBytes = 32 << 20;
    private static readonly KernelModule Module = new("decoder.sm80.ptx", 80);
    private static readonly Kernel Arrange = new(Module, "arrange_bf16", 32);

    /// <summary>The kernel, of the decoder's module.</summary>
    public static Kernel Kernel => Arrange;

    /// <summary>Copies a row-major weight [N, K], little-endian, to <paramref name="target"/>, N rounded up to panels. Queues work only, but for growing a buffer.</summary>
    public static void WriteBFloat16(ICudaDevice device, ReadOnlyMemory<byte> weight, int inputs, DevicePointer target)
    {
        var rowBytes = inputs * sizeof(ushort);
        var rows = weight.Length / rowBytes;
        var pieceRows = Math.Max(1, PieceBytes / rowBytes / GemmKernels.PanelOutputs) * GemmKernels.PanelOutputs;
        using var piece = device.Allocate((long)Math.Min(rows, pieceRows) * rowBytes);
        for (var first = 0; first < rows; first += pieceRows)
        {
            var count = Math.Min(pieceRows, rows - first);
            device.Write(piece.Pointer, weight.Span.Slice(first * rowBytes, count * rowBytes));
            device.Launch(Of(piece.Pointer, target, count, inputs));
            target += GemmKernels.CodeBytes(WeightFormat.BFloat16, count, inputs);
        }
    }

    /// <summary>One launch of <c>arrange_bf16</c>.</summary>
    public static KernelLaunch Of(DevicePointer source, DevicePointer target, int rows, int inputs)
    {
        var steps = PrepareKernels.Stride(inputs) / GemmKernels.StepInputs;
        var panels = (rows + GemmKernels.PanelOutputs - 1) / GemmKernels.PanelOutputs;
        return new KernelLaunch(Arrange, new GridSize(checked(panels * steps)), 0, new KernelArguments().With(source).With(target).With(rows).With(inputs).With(steps));
    }
}
