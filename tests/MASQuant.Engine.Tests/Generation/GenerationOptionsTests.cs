using System.Globalization;
using MASQuant.Diagnostics;

namespace MASQuant.Engine.Tests.Generation;

public class GenerationOptionsTests
{
    public static TheoryData<string, string, GenerationOptions> Wrong => new()
    {
        { "MaxTokens", "at least 1", new GenerationOptions { MaxTokens = 0 } },
        { "Temperature", "0 … 100", new GenerationOptions { Temperature = -0.5 } },
        { "Temperature", "0 … 100", new GenerationOptions { Temperature = 101 } },
        { "Temperature", "0 … 100", new GenerationOptions { Temperature = double.NaN } },
        { "TopP", "above 0 and at most 1", new GenerationOptions { TopP = 0 } },
        { "TopP", "above 0 and at most 1", new GenerationOptions { TopP = 1.5 } },
        { "TopP", "above 0 and at most 1", new GenerationOptions { TopP = double.NaN } },
        { "TopK", "at least 0", new GenerationOptions { TopK = -1 } },
        { "MinP", "0 … 1", new GenerationOptions { MinP = -0.1 } },
        { "MinP", "0 … 1", new GenerationOptions { MinP = double.NaN } },
        { "RepetitionPenalty", "0.001 … 1000", new GenerationOptions { RepetitionPenalty = 0 } },
        { "RepetitionPenalty", "0.001 … 1000", new GenerationOptions { RepetitionPenalty = double.PositiveInfinity } },
        { "PresencePenalty", "-2 … 2", new GenerationOptions { PresencePenalty = 2.1 } },
        { "FrequencyPenalty", "-2 … 2", new GenerationOptions { FrequencyPenalty = -2.1 } },
        { "DraftTokens", "0 … 64", new GenerationOptions { DraftTokens = -1 } },
        { "DraftTokens", "0 … 64", new GenerationOptions { DraftTokens = 65 } },
        { "StopStrings", "at least one character", new GenerationOptions { StopStrings = ["a", ""] } },
        { "StopTokens", "at least 0", new GenerationOptions { StopTokens = [5, -1] } },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void A_value_out_of_range_is_named_with_its_range(string option, string range, GenerationOptions options)
    {
        var error = Assert.Throws<MASQuantException>(options.Validate);
        Assert.Equal(DiagnosticCodes.GenerationOptionOutOfRange, error.Code);
        Assert.StartsWith(option, error.Description, StringComparison.Ordinal);
        Assert.Contains(range, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_edges_of_the_ranges_are_allowed()
    {
        new GenerationOptions().Validate();
        new GenerationOptions { MaxTokens = 1, Temperature = 100, TopP = 1e-9, TopK = int.MaxValue, StopTokens = [0], Seed = ulong.MaxValue, MinP = 1, RepetitionPenalty = 1000, PresencePenalty = -2, FrequencyPenalty = 2 }.Validate();
    }

    [Fact]
    public void Messages_do_not_follow_the_culture()
    {
        var culture = new CultureInfo("", false) { NumberFormat = { NumberDecimalSeparator = "," } };
        var previous = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = culture;
        try
        {
            Assert.StartsWith("TopP is 1.5;", Assert.Throws<MASQuantException>(new GenerationOptions { TopP = 1.5 }.Validate).Description, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = previous;
        }
    }
}
