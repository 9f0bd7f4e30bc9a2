using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Tests.Gemm;

/// <summary>Tests that choose the instruction set or the thread count run one after another.</summary>
[CollectionDefinition(nameof(CpuLevels), DisableParallelization = true)]
public sealed class CpuLevels
{
    /// <summary>Runs <paramref name="body"/> once per level of this machine and thread count, and puts both back.</summary>
    internal static void ForEach(Action body, params int[] threadCounts)
    {
        var (level, vnni, threads) = (CpuFeatures.Level, CpuFeatures.UseVnni, Workers.Count);
        try
        {
            foreach (var count in threadCounts.Length == 0 ? [1, 2, 3] : threadCounts)
            {
                Workers.Count = count;
                for (var candidate = CpuLevel.Portable; candidate <= CpuFeatures.Detected; candidate++)
                {
                    CpuFeatures.Level = candidate;
                    CpuFeatures.UseVnni = false;
                    body();
                    if (vnni && candidate >= CpuLevel.Avx2)
                    {
                        CpuFeatures.UseVnni = true;
                        body();
                    }
                }
            }
        }
        finally
        {
            (CpuFeatures.Level, CpuFeatures.UseVnni, Workers.Count) = (level, vnni, threads);
        }
    }
}
