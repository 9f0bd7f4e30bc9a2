using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Engine.Tests.Gemm.Code;
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
                        Heights(memory, say, weight, CodeKernel.For(weight, target, tokens: 1), $"{target.Level}, VNNI {target.UsesVnni}, {scheme}, groups {grouped}, inputs {inputs}");
                    }
                }
            }
        }
    }

    /// <summary>The tiles, in the emulator.</summary>
    public static void Tiles(GuardedMemory memory, Action<string> say)
    {
        var target = new CpuTarget(CpuLevel.Amx, false, 1) { Code = EmulatedTiles.Kernels };
        foreach (var (scheme, inputs, blocks, panels) in from scheme in new[] { QuantizationScheme.W4A8, QuantizationScheme.W8A8 } from inputs in new[] { 8, 64, 72, 512 } from blocks in new[] { 1, 2, 3 } from panels in new[] { 1, 2 } select (scheme, inputs, blocks, panels))
        {
            say($"tiles, {scheme}, inputs {inputs}, blocks {blocks}, panels {panels}");
            var weight = new QuantizedProblem(1, Panel, inputs, scheme).Weight;
            var kernel = CodeKernel.For(weight, target, tokens: 16);
            kernel.Unpack(memory.Pointer(weight.Codes.Span), null, inputs, memory.Pointer<byte>(kernel.PanelBytes(inputs)));

            var whole = PackedTokens.TileBlockBytes(inputs);
            byte* tokens = memory.Pointer<byte>(blocks * whole), weights = memory.Pointer<byte>(panels * whole);
            var sums = memory.Pointer<int>(blocks * TileKernelAmx.BlockSums);
            kernel.RunTiles(blocks, tokens, whole, panels, weights, whole, inputs, sums, add: false);
            kernel.RunTiles(blocks, tokens, whole, panels, weights, whole, inputs, sums, add: true);
            Assert.Null(EmulatedTiles.Problem);
        }
    }

    private static void Heights(GuardedMemory memory, Action<string> say, QuantizedWeight weight, CodeKernel kernel, string shape)
    {
        var inputs = weight.Inputs;
        var size = kernel.Form == CodeForm.Bytes ? 1 : 2;
        if (kernel.MaxPackedTokens < int.MaxValue)
        {
            Unpacked(memory, say, weight, kernel, shape);
        }

        for (var rows = 1; rows <= Math.Min(kernel.MaxRows, kernel.MaxPackedTokens); rows++)
        {
            for (var left = 1; left <= 4; left++)
            {
                var panels = kernel.Panels(rows, packed: true, left);
                say($"packed, {shape}, rows {rows}, panels {panels}");
                kernel.RunPacked(rows, panels, memory.Pointer<byte>(rows * inputs * size), memory.Pointer<byte>(panels * weight.Codes.Length), weight.Codes.Length, weight.HasGroupScales ? memory.Pointer<byte>(panels * weight.GroupScales.Length) : null, inputs, memory.Pointer<int>(panels * rows * Panel));
            }
        }
    }

    private static void Unpacked(GuardedMemory memory, Action<string> say, QuantizedWeight weight, CodeKernel kernel, string shape)
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
    }
}
