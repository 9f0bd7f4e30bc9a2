namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The instruction sets that FP32 kernels are written for. A type of its own: a <see cref="CpuLevel"/> may have kernels for codes alone.</summary>
internal enum FloatLevel
{
    /// <summary>Nothing beyond what the runtime offers on every processor.</summary>
    Portable,

    /// <summary>ARM64.</summary>
    Neon,

    /// <summary>AVX2 and FMA.</summary>
    Avx2,

    /// <summary><see cref="Avx2"/> and AVX-512 F, BW and VL.</summary>
    Avx512,
}
