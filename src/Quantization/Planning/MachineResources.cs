using System.Diagnostics;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Formats.Files;

namespace MASQuant.Quantization.Planning;

/// <summary>What a machine offers.</summary>
/// <param name="FreeDiskBytes">Free on the disk of the output.</param>
/// <param name="MemoryBytes">Of the machine, or what its container may use.</param>
public sealed record MachineResources(long FreeDiskBytes, long MemoryBytes)
{
    /// <summary>This machine.</summary>
    /// <param name="folder">The output folder; it need not exist yet.</param>
    public static MachineResources Here(string folder)
    {
        var existing = Path.GetFullPath(folder);
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
        {
            existing = parent;
        }

        // Where the disk does not tell, the run itself has to find out.
        return new MachineResources(DiskSpace.Free(existing) ?? long.MaxValue, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    /// <summary>Measures FP32 products for a fraction of a second: operations per second, all threads together.</summary>
    public static double MeasureSpeed()
    {
        const int Size = 1024;
        var (a, b, c) = (new Matrix(Size, Size), new Matrix(Size, Size), new Matrix(Size, Size));
        Array.Fill(a.Data, 0.5f);
        Array.Fill(b.Data, 0.25f);
        var best = double.MaxValue;
        for (var run = 0; run < 6; run++)
        {
            var start = Stopwatch.GetTimestamp();
            FloatGemm.MultiplyTransposed(a, b, [], c);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * Size * Size * Size / best;
    }
}
