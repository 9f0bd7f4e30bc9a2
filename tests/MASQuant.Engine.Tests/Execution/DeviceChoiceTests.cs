using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;

namespace MASQuant.Engine.Tests.Execution;

public class DeviceChoiceTests
{
    [Theory]
    [InlineData(null, null, null, 0, false)]
    [InlineData(null, " ", null, 0, false)]
    [InlineData(null, "cuda:3", "cuda", 3, false)]
    [InlineData("cpu", "cuda:3", null, 0, false)]
    [InlineData("CUDA", null, "cuda", 0, false)]
    [InlineData("Cuda:12", "gpu", "cuda", 12, false)]
    [InlineData("auto", null, "cuda", 0, true)]
    public void Option_beats_environment_beats_processor(string? option, string? environment, string? device, int ordinal, bool mayFallBack)
        => Assert.Equal(new DeviceChoice(device, ordinal, mayFallBack), DeviceChoice.Of(option, environment));

    [Theory]
    [InlineData("gpu", "'gpu' names no device.")]
    [InlineData("", "'' names no device.")]
    [InlineData("cuda:", "'cuda:' names")]
    [InlineData("cuda:-1", "'cuda:-1' names")]
    [InlineData("cuda:1024", "'cuda:1024' names")]
    [InlineData("cuda: 1", "'cuda: 1' names")]
    [InlineData("cuda:99999999999", "names no device")]
    public void Other_words_are_refused(string option, string message)
    {
        var error = Assert.Throws<MASQuantException>(() => DeviceChoice.Of(option, null));
        Assert.Equal(DiagnosticCodes.DeviceNameInvalid, error.Code);
        Assert.Contains(message, error.Message);
        Assert.Contains("cpu, cuda, cuda:N, auto", error.Message);
    }

    [Fact]
    public void The_environment_is_named_where_it_is_wrong()
        => Assert.Contains("'gpu' in MASQUANT_DEVICE names no device.", Assert.Throws<MASQuantException>(() => DeviceChoice.Of(null, "gpu")).Message);
}
