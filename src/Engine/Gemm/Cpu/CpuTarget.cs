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

    private const int ExtendedFeatures = 7;
    private const int Avx512Vnni = 1 << 11; // ECX
    private const int AmxTilesAndBytes = (1 << 24) | (1 << 25); // EDX

    private static CpuTarget? _thisMachine;

    /// <summary>All that this machine has, or as much of it as <see cref="EnvironmentVariable"/> says.</summary>
    /// <exception cref="MASQuantException">MASQ1011: the variable names no level of this machine.</exception>
    public static CpuTarget ThisMachine => _thisMachine ??= new(Choose(Environment.GetEnvironmentVariable(EnvironmentVariable), Levels), AvxVnni.IsSupported, Workers.Count);

    /// <summary>The instruction sets of this machine, the best one last.</summary>
    public static IReadOnlyList<CpuLevel> Levels => [.. Enum.GetValues<CpuLevel>().Where(IsSupported)];

    /// <summary>MASQ1012 where the processor has instructions for which the system does not let kernels be mapped, and nobody has chosen others; null otherwise.</summary>
    public static MASQuantException? Warning => HasVnni512 && MachineCode.OfProcess is null && string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(EnvironmentVariable))
        ? new MASQuantException(DiagnosticCodes.KernelsNotMapped, null,
            $"The system refuses executable memory ({MachineCode.Refusal}): the processor's AVX512-VNNI and AMX are not used, and quantized layers take longer; results are the same. Allow the process to map executable memory, or set {EnvironmentVariable}=avx512.")
        : null;

    /// <summary>The kernels that are machine code; null: the process's.</summary>
    internal MachineCode? Code { get; init; }

    private static bool HasVnni512 => CodeMemory.IsKnown && IsSupported(CpuLevel.Avx512) && (X86Base.CpuId(ExtendedFeatures, 0).Ecx & Avx512Vnni) != 0;

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
        CpuLevel.Vnni512 => HasVnni512 && MachineCode.OfProcess is not null,
        CpuLevel.Amx => IsSupported(CpuLevel.Vnni512) && (X86Base.CpuId(ExtendedFeatures, 0).Edx & AmxTilesAndBytes) == AmxTilesAndBytes && TileKernelAmx.IsPermitted,
        _ => true,
    };
}
