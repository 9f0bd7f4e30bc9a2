using System.Globalization;
using MASQuant.Engine.Gemm.Cpu;

namespace MASQuant.Engine.Tests.Tensors;

public sealed class HugePagesTests
{
    [SkippableFact]
    public unsafe void Packed_weights_lie_in_memory_that_asks_for_huge_pages()
    {
        Skip.IfNot(Directory.Exists("/sys/kernel/mm/transparent_hugepage"), "The system has no huge pages that a program may ask for.");
        const int Outputs = 4096;
        const int Inputs = 2048;
        var weight = DenseWeight.FromBFloat16(new byte[Outputs * Inputs * sizeof(ushort)], Outputs, Inputs);
        var middle = (ulong)weight.Panels.Stored(Outputs / PanelSource.PanelOutputs / 2, PanelSource.PanelOutputs, 0, out _);
        Assert.Contains("hg", FlagsAt(middle).Split(' '));
        GC.KeepAlive(weight);
    }

    // The system's own list of mappings: "from-to …" begins one, "VmFlags: …" ends it.
    private static string FlagsAt(ulong address)
    {
        var inside = false;
        foreach (var line in File.ReadLines("/proc/self/smaps"))
        {
            var bounds = line.Split(' ')[0].Split('-');
            if (bounds.Length == 2 && ulong.TryParse(bounds[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var from) && ulong.TryParse(bounds[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var to))
            {
                inside = from <= address && address < to;
            }
            else if (inside && line.StartsWith("VmFlags:", StringComparison.Ordinal))
            {
                return line;
            }
        }

        return "";
    }
}
