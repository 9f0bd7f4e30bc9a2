using MASQuant.Diagnostics;
using MASQuant.Engine.Models;

namespace MASQuant.Engine.Tests.Models;

public sealed class PromptBorderTests
{
    public static TheoryData<Exception> Foreign => [new OverflowException("a"), new InvalidOperationException("b"), new KeyNotFoundException("c"), new InsufficientMemoryException("d"), new ArgumentException("e")];

    public static TheoryData<Exception> Known => [new MASQuantException(DiagnosticCodes.ImageCorrupt, "f", "g"), new OperationCanceledException("h"), new ObjectDisposedException("i")];

    [Theory]
    [MemberData(nameof(Foreign))]
    public void A_foreign_exception_becomes_the_prompts(Exception cause)
    {
        var error = Assert.Throws<MASQuantException>(() => PromptBorder.Run<int>(() => throw cause));
        Assert.Equal(DiagnosticCodes.PromptUnusable, error.Code);
        Assert.Same(cause, error.InnerException);
    }

    [Theory]
    [MemberData(nameof(Known))]
    public void What_callers_know_stays(Exception cause) => Assert.Same(cause, Record.Exception(() => PromptBorder.Run<int>(() => throw cause)));
}
