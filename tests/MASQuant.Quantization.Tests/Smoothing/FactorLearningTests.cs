using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Smoothing;

public class FactorLearningTests
{
    [Theory]
    [InlineData(0, 8, 0)]
    [InlineData(2, 8, 2)]
    [InlineData(4, 3, 3)]
    [InlineData(4, -1, -1)]
    public void No_more_channels_deviate_than_the_patches_can_carry(int rank, int deviating, int expected)
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path, TinyRun.Options with { Rank = rank, DeviatingChannels = deviating });
        QuantizationPipeline.Run(job);
        using var artifact = Artifact.Open(TinyRun.ArtifactPath(job));
        foreach (var group in Enum.GetValues<InputGroup>())
        {
            var inverse = artifact.ReadInput(0, group).InverseSmoothing;
            var (text, vision) = (inverse[(int)Modality.Text], inverse[(int)Modality.Vision]);
            var different = Enumerable.Range(0, text.Length).Count(k => text[k] != vision[k]);
            Assert.True(expected < 0 ? different > text.Length / 2 : different == expected, $"{group}: {different} of {text.Length} channels deviate");
        }
    }

    [Fact]
    public void Learning_changes_the_factors_and_lowers_the_error_of_the_block()
    {
        var (initial, learned) = (Manifest(0), Manifest(4));
        double Error(Manifest manifest) => manifest.Layers[^1].Linears.SelectMany(linear => linear.Sqnr.Values).Average(sqnr => sqnr.Before);
        Assert.True(Error(learned) > Error(initial), $"learned {Error(learned):f2} dB, initial {Error(initial):f2} dB");
    }

    [Fact]
    public void Steps_that_only_harm_are_taken_back()
    {
        // Steps of e^±1 per factor leave every balance behind; those of e^±1e−9 none.
        var (initial, harmed) = (Factors(TinyRun.Options with { Epochs = 1, LearningRate = 1e-9 }), Factors(TinyRun.Options with { Epochs = 1, LearningRate = 1 }));
        for (var k = 0; k < initial.Length; k++)
        {
            // exp(log s) in FP32: |log s| < 12 is rounded by at most 2⁻²¹, which is the relative error of its exponential.
            Assert.Equal(1, harmed[k] / initial[k], Math.Pow(2, -20));
        }
    }

    private static float[] Factors(QuantizationOptions options)
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path, options);
        QuantizationPipeline.Run(job);
        using var artifact = Artifact.Open(TinyRun.ArtifactPath(job));
        return [.. Enum.GetValues<InputGroup>().SelectMany(group => artifact.ReadInput(0, group).InverseSmoothing[(int)Modality.Text])];
    }

    private static Manifest Manifest(int epochs)
    {
        using var folder = new TemporaryDirectory();
        return QuantizationPipeline.Run(TinyRun.Job(folder.Path, TinyRun.Options with { Epochs = epochs }));
    }
}
