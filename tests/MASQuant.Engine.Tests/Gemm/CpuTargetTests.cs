using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Gemm;

/// <summary>Which kernels a process takes, by its machine, its environment and what its system allows.</summary>
public sealed class CpuTargetTests
{
    private static readonly CpuLevel[] Levels = [CpuLevel.Portable, CpuLevel.Avx2, CpuLevel.Avx512, CpuLevel.Vnni512];

    [Theory]
    [InlineData(null, CpuLevel.Vnni512)]
    [InlineData(" ", CpuLevel.Vnni512)]
    [InlineData("avx2", CpuLevel.Avx2)]
    [InlineData(" AVX512 ", CpuLevel.Avx512)]
    [InlineData("vnni512", CpuLevel.Vnni512)]
    [InlineData("Portable", CpuLevel.Portable)]
    public void The_environment_beats_the_best_level(string? environment, CpuLevel expected) => Assert.Equal(expected, CpuTarget.Choose(environment, Levels));

    [Theory]
    [InlineData("amx")]
    [InlineData("neon")]
    [InlineData("2")]
    [InlineData("avx")]
    public void Levels_that_the_machine_lacks_and_other_words_are_refused(string environment)
    {
        var error = Assert.Throws<MASQuantException>(() => CpuTarget.Choose(environment, Levels));
        Assert.Equal(DiagnosticCodes.ProcessorLevelInvalid, error.Code);
        Assert.Contains($"'{environment}' in MASQUANT_CPU", error.Message, StringComparison.Ordinal);
        Assert.Contains("portable, avx2, avx512, vnni512;", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_takes_the_level_that_its_environment_names()
    {
        foreach (var level in CpuTarget.Levels)
        {
            Assert.Contains($" {level}\n", TestProcess.Output(["attention"], (CpuTarget.EnvironmentVariable, level.ToString().ToLowerInvariant())), StringComparison.Ordinal);
        }
    }
}
