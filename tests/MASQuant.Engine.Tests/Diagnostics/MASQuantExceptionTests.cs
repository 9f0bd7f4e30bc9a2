using MASQuant.Diagnostics;

namespace MASQuant.Engine.Tests.Diagnostics;

public class MASQuantExceptionTests
{
    private const string Code = DiagnosticCodes.ConfigInvalid;

    [Fact]
    public void A_message_says_code_file_and_line()
    {
        var error = new MASQuantException(Code, "config.json", "No JSON. Take another.") { Line = 3 };
        Assert.Equal((Code, "config.json", 3, "No JSON. Take another."), (error.Code, error.File, error.Line, error.Description));
        Assert.Equal($"config.json(3): {Code}: No JSON. Take another.", error.Message);
        Assert.Equal($"config.json(3): error {Code}: No JSON. Take another.", error.ToDiagnostic());
    }

    [Fact]
    public void Without_a_file_the_tool_is_the_place()
    {
        var error = new MASQuantException(Code, null, "Why.");
        Assert.Equal($"{Code}: Why.", error.Message);
        Assert.Equal($"masquant: error {Code}: Why.", error.ToDiagnostic());
    }

    [Fact]
    public void The_stack_and_the_cause_are_in_the_text()
    {
        var cause = new InvalidOperationException("cause");
        var error = Assert.Throws<MASQuantException>(() => Throw(cause));
        Assert.Same(cause, error.InnerException);
        Assert.Contains(nameof(Throw), error.ToString(), StringComparison.Ordinal);
        Assert.Contains("cause", error.ToString(), StringComparison.Ordinal);
    }

    private static void Throw(Exception cause) => throw new MASQuantException(Code, null, "Why.", cause);
}
