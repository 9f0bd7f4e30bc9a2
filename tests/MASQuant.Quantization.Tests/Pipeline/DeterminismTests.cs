using System.Globalization;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Options;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

[Trait("Lane", "slow")]
public class DeterminismTests
{
    [Theory]
    [InlineData("W4A8", "AVX512")]
    [InlineData("W4A8", "AVX2")]
    [InlineData("W4A16", "AVX512")]
    public void The_artifact_does_not_depend_on_the_vector_width(string scheme, string switchedOff)
    {
        string[] options = ["Epochs=1", "Rank=4", "DeviatingChannels=2", "Head=W8", "Towers=W8", "Scheme=" + scheme];
        Assert.Equal(TinyRun.Hash(TinyRun.Read(options)), TinyRunProcess.Hash(options, ("DOTNET_Enable" + switchedOff, "0"), switchedOff + "=False"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void The_artifact_does_not_depend_on_the_threads(int threads)
    {
        string[] options = ["Epochs=1", "Rank=4", "DeviatingChannels=2", "Head=W8", "Towers=W8"];
        Assert.Equal(TinyRun.Hash(TinyRun.Read(options)), TinyRunProcess.Hash(options, ("DOTNET_PROCESSOR_COUNT", threads.ToString(CultureInfo.InvariantCulture)), $"Threads={threads}"));
    }

    [Fact]
    public void The_artifact_does_not_depend_on_the_culture()
    {
        var culture = CultureInfo.CurrentCulture;
        var plain = TinyRun.Hash();
        try
        {
            CultureInfo.CurrentCulture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            CultureInfo.CurrentCulture.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture.NumberFormat.NegativeSign = "~";
            Assert.Equal(plain, TinyRun.Hash());
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
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
        return artifact.ReadInput(0, InputGroup.Qkv).InverseSmoothing[(int)Modality.Text];
    }
}
