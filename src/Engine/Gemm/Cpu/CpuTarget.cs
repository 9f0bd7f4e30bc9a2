using System.Runtime.Intrinsics.X86;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>What kernels are chosen and work is cut for. It changes speed, never a result.</summary>
/// <param name="Level">The instruction set, at most that of <see cref="ThisMachine"/>.</param>
/// <param name="UsesVnni">Whether 8-bit dot products are <c>vpdpbusd</c>.</param>
/// <param name="Threads">How many threads share a product.</param>
public sealed record CpuTarget(CpuLevel Level, bool UsesVnni, int Threads)
{
    /// <summary>All that this machine has.</summary>
    public static CpuTarget ThisMachine { get; } = new(
        !Avx2.IsSupported || !Fma.IsSupported ? CpuLevel.Portable
            : Avx512F.IsSupported && Avx512BW.IsSupported && Avx512F.VL.IsSupported ? CpuLevel.Avx512
            : CpuLevel.Avx2,
        AvxVnni.IsSupported,
        Workers.Count);
}
