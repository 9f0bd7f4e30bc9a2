namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The instruction sets that kernels are written for, in ascending order of preference.</summary>
public enum CpuLevel
{
    /// <summary>Nothing beyond what the runtime offers on every processor.</summary>
    Portable,

    /// <summary>AVX2 and FMA.</summary>
    Avx2,

    /// <summary><see cref="Avx2"/> and AVX-512 F, BW and VL.</summary>
    Avx512,
}
