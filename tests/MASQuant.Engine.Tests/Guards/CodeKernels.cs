using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Formats.Schemes;
using MASQuant.Tests.Guards;

namespace MASQuant.Engine.Tests.Guards;

/// <summary>The integer kernels, each on operands that hold what it is promised and no byte more.</summary>
internal static unsafe class CodeKernels
{
    private const int Panel = PackingLayout.PanelOutputs;

    /// <summary>Every height of every kernel.</summary>
    public static void Run(GuardedMemory memory, Action<string> say)
    {
        foreach (var target in CpuTargets.All(1))
        {
            foreach (var scheme in QuantizationScheme.All.Where(scheme => scheme.QuantizesActivations))
            {
                foreach (var grouped in scheme.SupportsGroupScales ? new[] { false, true } : [false])
                {
                    // Around a run of inputs, a vector, a sum of 16 bits, a group.
                    foreach (var inputs in grouped ? new[] { 128, 256 } : [8, 16, 24, 32, 40, 56, 64, 72, 128, 136])
                    {
                        var weight = new QuantizedProblem(1, Panel, inputs, scheme, groupScales: grouped).Weight;
                        Heights(memory, say, weight, CodeKernel.For(weight, target), $"{target.Level}, VNNI {target.UsesVnni}, {scheme}, groups {grouped}, inputs {inputs}");
                    }
                }
            }
        }
    }

    private static void Heights(GuardedMemory memory, Action<string> say, QuantizedWeight weight, CodeKernel kernel, string shape)
    {
        var inputs = weight.Inputs;
        var size = kernel.Form == CodeForm.Bytes ? 1 : 2;
        say($"unpack, {shape}");
        var unpacked = memory.Pointer<byte>(kernel.PanelBytes(inputs));
        kernel.Unpack(memory.Pointer(weight.Codes.Span), weight.HasGroupScales ? memory.Pointer(weight.GroupScales.Span) : null, inputs, unpacked);
        var panel = new ReadOnlySpan<byte>(unpacked, (int)kernel.PanelBytes(inputs)).ToArray();

        for (var rows = 1; rows <= kernel.MaxRows; rows++)
        {
            say($"run, {shape}, rows {rows}");
            kernel.Run(rows, memory.Pointer<byte>(rows * inputs * size), memory.Pointer<byte>(panel), inputs, memory.Pointer<int>(rows * Panel));
        }

        for (var rows = 1; rows <= kernel.MaxPackedRows; rows++)
        {
            say($"packed, {shape}, rows {rows}");
            kernel.RunPacked(rows, memory.Pointer<byte>(rows * inputs * size), memory.Pointer(weight.Codes.Span), inputs, memory.Pointer<int>(rows * Panel));
        }

        if (kernel.Streams > 1)
        {
            say($"streams, {shape}");
            var codes = memory.Pointer<byte>(kernel.Streams * weight.Codes.Length);
            kernel.RunStreams(memory.Pointer<byte>(inputs * size), codes, weight.Codes.Length, inputs, memory.Pointer<int>(kernel.Streams * Panel));
        }
    }
}
