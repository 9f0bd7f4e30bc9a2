using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tests.Gemm.Code;

namespace MASQuant.Engine.Tests.Gemm;

/// <summary>What kernels can be chosen and cut for on this machine, and tiles by an emulator.</summary>
internal static class CpuTargets
{
    /// <summary>Every instruction set of this machine on every number of threads, by default one, two and three.</summary>
    public static IEnumerable<CpuTarget> All(params int[] threads)
        => from count in threads.Length == 0 ? [1, 2, 3] : threads
           from target in Kinds()
           select target with { Threads = count };

    private static IEnumerable<CpuTarget> Kinds()
    {
        foreach (var level in CpuTarget.Levels)
        {
            yield return new CpuTarget(level, false, 1);
            if (CpuTarget.ThisMachine.UsesVnni && level is CpuLevel.Avx2 or CpuLevel.Avx512)
            {
                yield return new CpuTarget(level, true, 1);
            }
        }

        if (EmulatedTiles.IsComplete)
        {
            yield return new CpuTarget(CpuLevel.Amx, false, 1) { Code = EmulatedTiles.Kernels };
        }
    }
}
