using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using MASQuant.Diagnostics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>What kernels are chosen and work is cut for. It changes speed, never a result.</summary>
/// <param name="Level">The instruction set, one of <see cref="Levels"/>.</param>
/// <param name="UsesVnni">Whether kernels of <see cref="CpuLevel.Avx2"/> and <see cref="CpuLevel.Avx512"/> make 8-bit dot products by the <c>vpdpbusd</c> of AVX-VNNI.</param>
/// <param name="Threads">How many threads share a product.</param>
public sealed record CpuTarget(CpuLevel Level, bool UsesVnni, int Threads)
{
    /// <summary>Names the level where not the best one is wanted.</summary>
    public const string EnvironmentVariable = "MASQUANT_CPU";

    // Leaf 1 of CPUID: that the system tells what it saves. Leaf 7: the sets of x86-64-v4, for which the kernels are compiled, AVX512-VNNI, tiles and their 8-bit products.
    private const int SystemSaves = 1 << 27; // ECX
    private const int Avx512 = (1 << 16) | (1 << 17) | (1 << 28) | (1 << 30) | (1 << 31); // EBX: F, DQ, CD, BW, VL
    private const int Avx512Vnni = 1 << 11; // ECX
    private const int AmxTilesAndBytes = (1 << 24) | (1 << 25); // EDX

    // Asked for when first needed, so that a wrong name is an error of its own and not of a type.
    private static readonly Lazy<CpuTarget> Machine = new(() => new CpuTarget(Choose(Environment.GetEnvironmentVariable(EnvironmentVariable), Levels), AvxVnni.IsSupported, Workers.Count));

    /// <summary>All that this machine has, or as much of it as <see cref="EnvironmentVariable"/> says.</summary>
    /// <exception cref="MASQuantException">MASQ1011: the variable names no level of this machine.</exception>
    public static CpuTarget ThisMachine => Machine.Value;

    /// <summary>The instruction sets of this machine, the best one last.</summary>
    public static IReadOnlyList<CpuLevel> Levels => [.. Enum.GetValues<CpuLevel>().Where(IsSupported)];

    /// <summary>MASQ1012 where the processor has instructions for which the system does not let kernels be mapped, and nobody has chosen others; null otherwise.</summary>
    public static MASQuantException? Warning => HasVnni512 && MachineCode.OfProcess is null && string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(EnvironmentVariable))
        ? new MASQuantException(DiagnosticCodes.KernelsNotMapped, null,
            $"The system refuses executable memory ({MachineCode.Refusal}): the processor's AVX512-VNNI and AMX are not used, and quantized layers take longer; results are the same. Allow the process to map executable memory, or set {EnvironmentVariable}=avx512.")
        : null;

    /// <summary>The kernels that are machine code; null: the process's.</summary>
    internal MachineCode? Code { get; init; }

    /// <summary>The level for FP32 products, which have no kernels in machine code.</summary>
    internal FloatLevel FloatLevel => Level switch
    {
        CpuLevel.Portable => FloatLevel.Portable,
        CpuLevel.Neon => FloatLevel.Neon,
        CpuLevel.Avx2 => FloatLevel.Avx2,
        CpuLevel.Avx512 => FloatLevel.Avx512,
        _ when IsSupported(CpuLevel.Avx512) => FloatLevel.Avx512,
        _ when IsSupported(CpuLevel.Avx2) => FloatLevel.Avx2, // machine code beside NativeAOT's older processors
        _ => FloatLevel.Portable,
    };

    /// <summary>Whether the processor has AVX512-VNNI and nobody has switched AVX-512 off. NativeAOT compiles for older processors unless it is told otherwise, so there that says nothing.</summary>
    private static bool HasVnni512 => CodeMemory.IsKnown && X86Base.IsSupported && (IsSupported(CpuLevel.Avx512) || !RuntimeFeature.IsDynamicCodeSupported)
        && (X86Base.CpuId(1, 0).Ecx & SystemSaves) != 0 && X86Base.CpuId(7, 0) is var features && (features.Ebx & Avx512) == Avx512 && (features.Ecx & Avx512Vnni) != 0;

    /// <summary>The level that <paramref name="environment"/> names, or the last of <paramref name="levels"/>.</summary>
    internal static CpuLevel Choose(string? environment, IReadOnlyList<CpuLevel> levels)
    {
        if (string.IsNullOrWhiteSpace(environment))
        {
            return levels[^1];
        }

        var name = environment.Trim();
        foreach (var level in levels)
        {
            if (name.Equals(level.ToString(), StringComparison.OrdinalIgnoreCase))
            {
                return level;
            }
        }

        throw new MASQuantException(DiagnosticCodes.ProcessorLevelInvalid, null,
            $"'{name}' in {EnvironmentVariable} names no instruction set that this processor and its system have. Allowed here: {string.Join(", ", levels.Select(level => level.ToString().ToLowerInvariant()))}; without the variable the last of them is taken.");
    }

    private static bool IsSupported(CpuLevel level) => level switch
    {
        CpuLevel.Neon => AdvSimd.Arm64.IsSupported && Dp.IsSupported,
        CpuLevel.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        CpuLevel.Avx512 => IsSupported(CpuLevel.Avx2) && Avx512F.IsSupported && Avx512BW.IsSupported && Avx512F.VL.IsSupported,
        CpuLevel.Vnni512 => HasVnni512 && MachineCode.OfProcess is { SavesVectors512: true },
        CpuLevel.Amx => IsSupported(CpuLevel.Vnni512) && (X86Base.CpuId(7, 0).Edx & AmxTilesAndBytes) == AmxTilesAndBytes && TileKernelAmx.IsPermitted,
        _ => true,
    };
}
