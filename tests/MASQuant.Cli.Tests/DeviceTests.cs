using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class DeviceTests
{
    [Theory]
    [InlineData("run", "Hello.")]
    [InlineData("evaluate", "data.jsonl")]
    public void Other_words_are_refused(string command, string last)
    {
        var run = CommandRun.Of(command, "model", last, "--device", "gpu");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("'gpu' is not allowed for '--device'. Allowed: cpu, cuda, cuda:N, auto.", run.Error);
    }

    // No machine has a thousand GPUs: what is missing is the driver, a new enough one, or the device.
    [Fact]
    public void What_is_missing_is_said()
    {
        var run = CommandRun.Of("run", RepositoryFiles.OmniTiny, "Hello.", "--device", "cuda:1000");
        Assert.Equal(1, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.Matches("^masquant: error MASQ100[123]: ", run.Error);
        Assert.Contains("run on the processor: --device cpu.", run.Error);
    }

    [Fact]
    public void The_processor_is_there_whatever_else_is_not()
        => Assert.Equal(0, CommandRun.Of("run", RepositoryFiles.OmniTiny, "Hello.", "--max-tokens", "1", "--device", "cpu").ExitCode);
}
