using MASQuant.Bench.Cuda;

namespace MASQuant.Cuda.Tests.Bench;

public class BenchOptionsTests
{
    [Theory]
    [InlineData("--cvs figures.csv", "'--cvs' is not known.")]
    [InlineData("kernel", "'kernel' is not known.")]
    [InlineData("kernels --csv", "--csv needs a value.")]
    [InlineData("--markdown --csv a.csv", "--markdown needs a value.")]
    [InlineData("--csv a.csv --csv b.csv", "--csv is given twice.")]
    [InlineData("--device", "--device needs a value.")]
    [InlineData("--device cpu", "--device cpu names no GPU; cuda:0 is the first.")]
    [InlineData("--device auto", "--device auto names no GPU; cuda:0 is the first.")]
    [InlineData("--device cuda:x", "--device cuda:x names no GPU; cuda:0 is the first.")]
    [InlineData("check --csv a.csv", "--csv takes figures, of which check has none; what is timed is checked before.")]
    [InlineData("--only draw", "--only goes with check alone: what is timed is checked before, whole.")]
    [InlineData("check models --skip full", "--skip goes with check alone: what is timed is checked before, whole.")]
    public void Wrong_words_are_named(string words, string expected)
    {
        Assert.False(BenchOptions.TryParse(words.Split(' '), out var options, out var error));
        Assert.Null(options);
        Assert.Equal(expected, error);
    }

    [Theory]
    [InlineData("", "kernels layers models", "cuda:0", null, null)]
    [InlineData("check", "", "cuda:0", null, null)]
    [InlineData("check models", "models", "cuda:0", null, null)]
    [InlineData("kernels --device cuda:2 --csv a.csv --markdown b.md", "kernels", "cuda:2", "a.csv", "b.md")]
    public void Words_are_understood(string words, string timed, string device, string? csv, string? markdown)
    {
        Assert.True(BenchOptions.TryParse(words.Split(' ', StringSplitOptions.RemoveEmptyEntries), out var options, out _));
        Assert.Equal(timed.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(), options.Timed.Order());
        Assert.Equal((device, csv, markdown, false), (options.Device, options.Csv, options.Markdown, options.Help));
    }

    [Fact]
    public void The_usage_names_every_word()
    {
        Assert.True(BenchOptions.TryParse(["kernels", "--help"], out var options, out _));
        Assert.True(options.Help);
        Assert.All((string[])["check", "kernels", "layers", "models", "--device", "--csv", "--markdown", "--only", "--skip", "--help"], word => Assert.Contains(word, BenchOptions.Usage, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("check", "draw: 1", true)]
    [InlineData("check --only DRAW", "draw: 1", true)]
    [InlineData("check --only draw", "full size: 1", false)]
    [InlineData("check --skip full", "full size: 1", false)]
    [InlineData("check --skip full", "draw: 1", true)]
    public void Checks_are_chosen_by_name(string words, string check, bool expected)
    {
        Assert.True(BenchOptions.TryParse(words.Split(' '), out var options, out _));
        Assert.Equal(expected, options.Wants(check));
    }
}
