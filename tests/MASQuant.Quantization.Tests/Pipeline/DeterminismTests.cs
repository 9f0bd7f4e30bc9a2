using System.Diagnostics;
using System.Globalization;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Options;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

[Collection(nameof(Workers))]
[Trait("Lane", "slow")]
public class DeterminismTests
{
    [Theory]
    [InlineData("W4A8", "AVX512")]
    [InlineData("W4A8", "AVX2")]
    [InlineData("W4A16", "AVX512")]
    public void The_artifact_does_not_depend_on_the_vector_width(string schemeName, string switchedOff)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(DeterminismTests).Assembly.Location, schemeName])
        {
            RedirectStandardOutput = true,
            Environment = { ["DOTNET_Enable" + switchedOff] = "0" },
        };
        using var child = Process.Start(start)!;
        var lines = child.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        child.WaitForExit();

        Assert.Equal(0, child.ExitCode);
        Assert.Contains(switchedOff + "=False", lines[0], StringComparison.Ordinal);
        Assert.Equal(TinyRun.Hash(TinyRun.Options with { Scheme = scheme }), lines[^1].Trim());
    }

    [Fact]
    public void The_artifact_does_not_depend_on_threads_or_culture()
    {
        var (threads, culture) = (Workers.Count, CultureInfo.CurrentCulture);
        try
        {
            Workers.Count = 1;
            var alone = TinyRun.Hash();
            Workers.Count = 3;
            CultureInfo.CurrentCulture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            CultureInfo.CurrentCulture.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture.NumberFormat.NegativeSign = "~";
            Assert.Equal(alone, TinyRun.Hash());
        }
        finally
        {
            (Workers.Count, CultureInfo.CurrentCulture) = (threads, culture);
        }
    }

    [Fact]
    public void Another_seed_gives_other_factors() => Assert.NotEqual(Factors(TinyRun.Options), Factors(TinyRun.Options with { Seed = 1 }));

    private static float[] Factors(QuantizationOptions options)
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path, options);
        QuantizationPipeline.Run(job);
        using var artifact = Artifact.Open(TinyRun.ArtifactPath(job));
        return artifact.ReadInverseSmoothing(0, InputGroup.Qkv)[(int)Modality.Text];
    }
}
