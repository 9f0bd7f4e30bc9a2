using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

public class EffortTests
{
    [Theory]
    [InlineData("Fast", "W4A4", 0, 0)]
    [InlineData("Standard", "W4A4", 1, 0)]
    [InlineData("Standard", "W4A8", 0, 0)]
    [InlineData("Best", "W4A8", 1, 1)]
    public void Effort_decides_what_is_not_given(string effort, string scheme, int epochs, int alternations)
    {
        var words = new Dictionary<string, string> { ["Effort"] = effort, ["Scheme"] = scheme };
        var options = OptionTable.Read(words);
        Assert.Equal((epochs, alternations), (options.Epochs, options.Alternations));

        var given = OptionTable.Read(new Dictionary<string, string>(words) { ["Epochs"] = "3", ["Alternations"] = "2" });
        Assert.Equal((3, 2), (given.Epochs, given.Alternations));
        Assert.Equal(effort, OptionTable.Write(given)["Effort"]);
    }

    [Fact]
    public void Effort_leaves_other_methods_as_they_are()
    {
        foreach (var method in new[] { "SmoothQuant", "UniformRotated" })
        {
            var options = OptionTable.Read(new Dictionary<string, string> { ["Method"] = method, ["Effort"] = "Best" });
            Assert.Equal((0, 0, method), (options.Epochs, options.Alternations, OptionTable.Write(options)["Method"]));
        }
    }

    [Theory]
    [InlineData(3, 3)]
    [InlineData(100, 16)]
    [InlineData(400, 50)]
    public void A_fast_run_takes_an_eighth_of_the_samples_and_at_least_sixteen(int samples, int used)
    {
        using var folder = new TemporaryDirectory();
        var fast = TinyRun.Job(folder.Path, new QuantizationOptions { Effort = EffortKind.Fast, Seed = 5 });
        Assert.Equal(used < samples ? new CalibrationSubset(used, 5) : null, fast.SubsetOf(samples));
        Assert.Equal(new CalibrationSubset(2, 1), (fast with { Subset = new(2, 1) }).SubsetOf(samples));
        Assert.Null((fast with { Options = new() }).SubsetOf(samples));
    }

    [Fact]
    public void A_fast_run_says_what_it_used_and_describes_no_residuals()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path, TinyRun.Options with { GivenEpochs = null, Effort = EffortKind.Fast });
        var manifest = QuantizationPipeline.Run(job with { CalibrationFile = TinyRun.Calibration(folder.Path, images: 19) });
        Assert.Equal(16, manifest.Calibration!.Samples);
        Assert.All(manifest.Layers.SelectMany(layer => layer.Linears), linear => Assert.Empty(linear.EffectiveRanks));
    }
}
