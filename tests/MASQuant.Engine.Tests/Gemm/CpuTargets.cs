using MASQuant.Engine.Gemm.Cpu;

namespace MASQuant.Engine.Tests.Gemm;

/// <summary>What kernels can be chosen and cut for on this machine.</summary>
internal static class CpuTargets
{
    /// <summary>Every instruction set of this machine on every number of threads, by default one, two and three.</summary>
    public static IEnumerable<CpuTarget> All(params int[] threads)
        => from count in threads.Length == 0 ? [1, 2, 3] : threads
           from level in CpuTarget.Levels
           from vnni in CpuTarget.ThisMachine.UsesVnni && level >= CpuLevel.Avx2 ? new[] { false, true } : [false]
           select new CpuTarget(level, vnni, count);
}
