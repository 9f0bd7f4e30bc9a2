using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Tests.Guards;

namespace MASQuant.Engine.Tests.Guards;

/// <summary>The FP32 kernels and what brings operands into their order, each on operands that hold what it is promised and no byte more.</summary>
internal static unsafe class FloatKernels
{
    private const int Panel = PanelSource.PanelOutputs;

    /// <summary>Every height of every kernel, with panels and outputs that are rows of something wider, too.</summary>
    public static void Run(GuardedMemory memory, Action<string> say)
    {
        foreach (var level in CpuTarget.Levels.Select(level => (CpuTarget.ThisMachine with { Level = level }).FloatLevel).Distinct())
        {
            foreach (var halves in new[] { false, true })
            {
                for (var rows = 1; rows <= FloatKernel.MaxRows(level); rows++)
                {
                    foreach (var (depth, beside) in from depth in new[] { 0, 1, 2, 7, 16 } from beside in new[] { 0, 5 } select (depth, beside))
                    {
                        say($"{level}, BF16 {halves}, rows {rows}, depth {depth}, {beside} values between rows");
                        var size = halves ? sizeof(ushort) : sizeof(float);
                        var b = memory.Pointer<byte>(Rows(depth, Panel + beside, Panel) * size);
                        var c = memory.Pointer<float>(Rows(rows, Panel + beside, Panel));
                        FloatKernel.Run(level, halves, rows, memory.Pointer<float>(depth * rows), b, (Panel + beside) * size, c, Panel + beside, depth, add: false);
                        FloatKernel.Run(level, halves, rows, memory.Pointer<float>(depth * rows), b, (Panel + beside) * size, c, Panel + beside, depth, add: true);
                    }
                }
            }
        }

        for (var count = 0; count < 64; count++)
        {
            say($"add, {count} values");
            FloatKernel.Add(memory.Pointer<float>(count), memory.Pointer<float>(count), count);
        }

        for (var columns = 1; columns < Panel; columns++)
        {
            say($"copy, {columns} columns");
            FloatKernel.CopyTile(memory.Pointer<float>(((FloatKernel.TallestTile - 1) * Panel) + columns), FloatKernel.TallestTile, columns, memory.Pointer<float>(Rows(FloatKernel.TallestTile, 40, columns)), 40, add: true);
        }
    }

    /// <summary>Packing, in both orders and in neither.</summary>
    public static void Pack(GuardedMemory memory, Action<string> say)
    {
        foreach (var (lines, depth) in from lines in Enumerable.Range(1, 35) from depth in new[] { 1, 2, 3, 4, 5, 8, 31, 64 } select (lines, depth))
        {
            foreach (var width in new[] { lines, lines + 3 })
            {
                say($"{lines} lines of {depth} inputs, width {width}");
                var target = memory.Pointer<float>(depth * width);
                FloatPacking.Pack(memory.Pointer<float>(Rows(lines, depth + 2, depth)), depth + 2, 1, lines, depth, target, width);
                FloatPacking.Pack(memory.Pointer<float>(Rows(depth, lines + 2, lines)), 1, lines + 2, lines, depth, target, width);
                FloatPacking.Pack(memory.Pointer<float>(((lines - 1) * 2) + ((depth - 1) * 2 * lines) + 1), 2, 2 * lines, lines, depth, target, width);
            }
        }
    }

    /// <summary>Packing of whole panels of BF16, as far as it goes.</summary>
    public static void PackHalves(GuardedMemory memory, Action<string> say)
    {
        foreach (var inputs in new[] { 1, 2, 126, 127, 128, 130, 256, 300 })
        {
            say($"a panel of {inputs} inputs");
            HalfPacking.Pack(memory.Pointer<ushort>(Panel * inputs), inputs, memory.Pointer<ushort>(Panel * inputs));
        }
    }

    /// <summary>The length of rows of which the last has nothing behind it.</summary>
    private static int Rows(int rows, int stride, int columns) => rows == 0 ? 0 : ((rows - 1) * stride) + columns;
}
