namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The instruction sets that kernels are written for, those of a processor in ascending order of preference.</summary>
public enum CpuLevel
{
    /// <summary>Nothing beyond what the runtime offers on every processor.</summary>
    Portable,

    /// <summary>ARM64 with <c>sdot</c> (FEAT_DotProd, of ARMv8.2).</summary>
    Neon,

    /// <summary>AVX2 and FMA.</summary>
    Avx2,

    /// <summary><see cref="Avx2"/> and AVX-512 F, BW and VL.</summary>
    Avx512,

    /// <summary><see cref="Avx512"/> and AVX512-VNNI, whose kernel is machine code (<see cref="MachineCode"/>).</summary>
    Vnni512,

    /// <summary><see cref="Vnni512"/> and AMX with 8-bit integers, for more than a few tokens; machine code too.</summary>
    Amx,
}
