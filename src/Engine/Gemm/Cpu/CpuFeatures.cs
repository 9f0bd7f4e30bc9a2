using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Which kernels run. The choice changes speed, never a result; tests lower it to reach every path on one machine.</summary>
internal static class CpuFeatures
{
    private static CpuLevel _level = Detected;

    /// <summary>The best level of this machine.</summary>
    public static CpuLevel Detected
        => !Avx2.IsSupported || !Fma.IsSupported ? CpuLevel.Portable
            : Avx512F.IsSupported && Avx512BW.IsSupported && Avx512F.VL.IsSupported ? CpuLevel.Avx512
            : CpuLevel.Avx2;

    /// <summary>The level in use, at most <see cref="Detected"/>.</summary>
    public static CpuLevel Level
    {
        get => _level;
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((int)value, (int)Detected, nameof(value));
            _level = value;
        }
    }

    /// <summary>Whether 8-bit dot products may use <c>vpdpbusd</c>; set to false to test the path without it.</summary>
    public static bool UseVnni { get; set; } = AvxVnni.IsSupported;
}
