using MASQuant.Diagnostics;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Tests.Pipeline;

public class OptionTableTests
{
    [Fact]
    public void Written_options_read_back_as_they_were()
    {
        foreach (var method in QuantizationMethod.Names.Where(name => name != "Custom"))
        {
            foreach (var scheme in QuantizationScheme.All)
            {
                var options = OptionTable.Read(new Dictionary<string, string> { ["Method"] = method, ["Scheme"] = scheme.ToString(), ["Seed"] = "18446744073709551615", ["MinPixels"] = "784", ["MaxPixels"] = "3136", ["MaxFrames"] = "3", ["MaxFramesPerSecond"] = "0.5" });
                var words = OptionTable.Write(options);
                Assert.Equal(method, words["Method"]);
                Assert.Equal(("18446744073709551615", "784", "3136", "3", "0.5"), (words["Seed"], words["MinPixels"], words["MaxPixels"], words["MaxFrames"], words["MaxFramesPerSecond"]));
                Assert.Equal(words, OptionTable.Write(OptionTable.Read(words)));
            }
        }
    }

    [Fact]
    public void Every_option_names_its_allowed_values_and_refuses_others()
    {
        foreach (var option in OptionTable.All)
        {
            var error = Assert.Throws<MASQuantException>(() => OptionTable.Read(new Dictionary<string, string> { [option.Name] = "no such value" }, "App.csproj"));
            Assert.Equal(DiagnosticCodes.OptionNotAllowed, error.Code);
            Assert.Contains(option.Name, error.Message, StringComparison.Ordinal);
            Assert.Contains(option.Values, error.Message, StringComparison.Ordinal);
            Assert.StartsWith("--", option.Switch, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Limits_that_are_not_given_are_those_of_the_basis()
    {
        var basis = new QuantizationOptions { MinPixels = 1, MaxPixels = 2, MaxFrames = 3, MaxFramesPerSecond = 4 };
        Assert.Equal(basis.Budget, new QuantizationOptions().WithLimitsOf(basis).Budget);
        var own = new QuantizationOptions { MinPixels = 6, MaxPixels = 7, MaxFrames = 8, MaxFramesPerSecond = 9 };
        Assert.Equal(own.Budget, own.WithLimitsOf(basis).Budget);
    }

    [Fact]
    public void A_ratio_replaces_the_default_rank()
    {
        var options = OptionTable.Read(new Dictionary<string, string> { ["RankRatio"] = "0.1" });
        Assert.Null(options.Rank);
        Assert.Equal(13, options.RankFor(256, 128));
        Assert.Equal(12, new QuantizationOptions().RankFor(256, 128));
        Assert.Equal(8, new QuantizationOptions().RankFor(256, 8));
    }
}
