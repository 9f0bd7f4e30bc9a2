using System.Globalization;
using MASQuant.Engine.Constraints;
using MASQuant.Engine.Tests.Models;

namespace MASQuant.Engine.Tests.Constraints;

/// <summary>What was made for an answer serves the next, and is let go: schemas are strangers', and come without end.</summary>
public sealed class KeptGrammarTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    [Fact]
    public void The_last_sixteen_formats_are_kept()
    {
        var formats = new AnswerFormats(omni.Model.Tokenizer);
        var first = formats.Of(Constant(0));
        var second = formats.Of(Constant(1));
        for (var i = 2; i <= 16; i++)
        {
            Assert.Same(first, formats.Of(Constant(0)));
            formats.Of(Constant(i));
        }

        Assert.Same(first, formats.Of(Constant(0)));
        Assert.NotSame(second, formats.Of(Constant(1)));
    }

    [Fact]
    public void Masks_are_kept_and_let_go()
    {
        var grammar = new TokenGrammar(JsonSchemaReader.Read("""{"type": "string", "maxLength": 300}"""), new TokenTable(omni.Model.Tokenizer));
        var (first, state) = (grammar.Allowed(grammar.Start), grammar.Start);
        Assert.Same(first, grammar.Allowed(grammar.Start));
        var quote = Token("\"");
        var letter = Token("a");
        for (var i = 0; i < 256; i++)
        {
            state = grammar.Next(state, i == 0 ? quote : letter);
            grammar.Allowed(state);
        }

        Assert.NotSame(first, grammar.Allowed(grammar.Start));
    }

    private int Token(string text) => Assert.Single(omni.Model.Tokenizer.Encode(text));

    private static AnswerFormat Constant(int value) => AnswerFormat.JsonSchema(string.Create(CultureInfo.InvariantCulture, $"{{\"const\": {value}}}"));
}
