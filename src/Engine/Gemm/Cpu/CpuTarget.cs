using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>What kernels are chosen and work is cut for. It changes speed, never a result.</summary>
/// <param name="Level">The instruction set, one of <see cref="Levels"/>.</param>
/// <param name="UsesVnni">Whether 8-bit dot products are <c>vpdpbusd</c>.</param>
/// <param name="Threads">How many threads share a product.</param>
public sealed record CpuTarget(CpuLevel Level, bool UsesVnni, int Threads)
{
    /// <summary>All that this machine has.</summary>
    public static CpuTarget ThisMachine { get; } = new(Levels[^1], AvxVnni.IsSupported, Workers.Count);

    /// <summary>The instruction sets of this machine, the best one last.</summary>
    public static IReadOnlyList<CpuLevel> Levels => [.. Enum.GetValues<CpuLevel>().Where(IsSupported)];

    private static bool IsSupported(CpuLevel level) => level switch
    {
        CpuLevel.Neon => AdvSimd.Arm64.IsSupported && Dp.IsSupported,
        CpuLevel.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        CpuLevel.Avx512 => IsSupported(CpuLevel.Avx2) && Avx512F.IsSupported && Avx512BW.IsSupported && Avx512F.VL.IsSupported,
        _ => true,
    };
}
