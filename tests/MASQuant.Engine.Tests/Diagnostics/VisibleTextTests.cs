namespace MASQuant.Engine.Tests.Diagnostics;

/// <summary>What steers terminals and logs is written out; all else stays as it is.</summary>
public sealed class VisibleTextTests
{
    [Theory]
    [InlineData("a\u001B[2Jb", "a\\u001b[2Jb")]
    [InlineData("a\r\nb\n", "a\\r\\nb\\n")]
    [InlineData("\0\a\b\u007F\u0085\u009B", "\\u0000\\u0007\\u0008\\u007f\\u0085\\u009b")]
    [InlineData("a\u202Egnp.exe\u2066\u200F\u061C", "a\\u202egnp.exe\\u2066\\u200f\\u061c")]
    [InlineData("a\u2028b\u2029", "a\\u2028b\\u2029")]
    [InlineData("::error::x", ":\\u003aerror::x")]
    [InlineData("  ::warning file=a::x", "  :\\u003awarning file=a::x")]
    [InlineData("a ##vso[task.setvariable variable=PATH]x", "a ##vso\\u005btask.setvariable variable=PATH]x")]
    [InlineData("##[error]x", "##\\u005berror]x")]
    [InlineData("###teamcity[x", "###teamcity\\u005bx")]
    public void What_steers_is_written_out(string text, string visible) => Assert.Equal(visible, VisibleText.Of(text));

    [Theory]
    [InlineData("models/omni-tiny: model.layers.0.self_attn.q_proj [256, 256]")]
    [InlineData("C:\\models\\new: 字 é \U0001F642 \u200D tab\tend")]
    [InlineData("std::vector ## [a] # x[0] a:: b::c")]
    [InlineData(": a :: b")]
    public void All_else_stays(string text) => Assert.Same(text, VisibleText.Of(text));

    [Fact]
    public void Lines_stay_where_they_are_asked_for()
        => Assert.Equal("a\n:\\u003aerror::\n\\u001bb\n:\\u003a", VisibleText.OfLines("a\n::error::\n\u001Bb\n::"));

    [Fact]
    public void Messages_of_exceptions_are_one_line_and_their_file_stays()
    {
        var error = new MASQuantException("MASQ0107", "::a\u001B.safetensors", "Tensor 'x\n::error::\u001B[31m##vso[y]' is missing.", new InvalidOperationException());
        Assert.Equal("::a\u001B.safetensors", error.File);
        Assert.Equal("Tensor 'x\\n:\\u003aerror::\\u001b[31m##vso\\u005by]' is missing.", error.Description);
        Assert.Equal(":\\u003aa\\u001b.safetensors: MASQ0107: " + error.Description, error.Message);
        Assert.Equal(":\\u003aa\\u001b.safetensors: error MASQ0107: " + error.Description, error.ToDiagnostic());
        Assert.DoesNotContain('\u001B', error.ToString());
    }
}
