using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Engine.Tests.Models;

namespace MASQuant.Engine.Tests.Execution;

/// <summary>A model that has never seen JSON answers in it.</summary>
public sealed class AnswerFormatTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    private static readonly GenerationOptions Digits = new()
    {
        Format = AnswerFormat.JsonSchema("""{"type": "object", "properties": {"digits": {"type": "array", "items": {"enum": ["one", "two", "three"]}, "minItems": 2, "maxItems": 4}, "note": {"type": "string", "maxLength": 8}}, "required": ["digits", "note"]}"""),
        MaxTokens = 200,
    };

    private static Prompt Verse => new Prompt().Text("Quote a verse.");

    [Theory]
    [InlineData(0.0, 1.0)]
    [InlineData(2.0, 1.3)]
    public async Task The_answer_is_what_the_schema_says_and_ends_by_itself(double temperature, double repetition)
    {
        var options = Digits with { Temperature = temperature, RepetitionPenalty = repetition, Seed = 5 };
        var pieces = omni.Model.GeneratePieces(Verse, options).ToArray();
        var answer = string.Concat(pieces.Select(piece => piece.Text));

        using var document = JsonDocument.Parse(answer);
        Assert.InRange(document.RootElement.GetProperty("digits").GetArrayLength(), 2, 4);
        Assert.InRange(document.RootElement.GetProperty("note").GetString()!.EnumerateRunes().Count(), 0, 8);
        Assert.Equal(EndReason.StopToken, pieces[^1].End);

        // Beside answers of other formats, and of none, it is the same.
        Assert.Equal(answer, omni.Model.GenerateBatch([Verse, Verse], options)[0]);
        var free = Collect(new GenerationOptions { MaxTokens = 30, StopTokens = [] });
        Assert.Equal(answer, await Collect(options));
        Assert.Equal(string.Concat(omni.Model.Generate(Verse, new GenerationOptions { MaxTokens = 30, StopTokens = [] })), await free);

        async Task<string> Collect(GenerationOptions how)
        {
            var text = "";
            await foreach (var piece in omni.Model.GenerateAsync(Verse, how))
            {
                text += piece;
            }

            return text;
        }
    }

    [Fact]
    public void Without_a_schema_it_is_an_object()
    {
        var pieces = omni.Model.GeneratePieces(Verse, new GenerationOptions { Format = AnswerFormat.Json, MaxTokens = 400, Temperature = 1, Seed = 1 }).ToArray();
        var answer = string.Concat(pieces.Select(piece => piece.Text));

        Assert.StartsWith("{", answer, StringComparison.Ordinal);
        if (pieces[^1].End == EndReason.StopToken)
        {
            JsonDocument.Parse(answer).Dispose();
        }
    }

    [Fact]
    public void An_answer_that_may_not_become_whole_says_so()
        => Assert.Equal(EndReason.Length, omni.Model.GeneratePieces(Verse, Digits with { MaxTokens = 3 }).Last().End);

    // Nothing may follow, so nothing needs to end it.
    [Fact]
    public void A_whole_answer_needs_no_stop_token()
    {
        var pieces = omni.Model.GeneratePieces(Verse, Digits with { StopTokens = [] }).ToArray();

        Assert.Equal(string.Concat(omni.Model.Generate(Verse, Digits)), string.Concat(pieces.Select(piece => piece.Text)));
        Assert.Equal(EndReason.StopToken, pieces[^1].End);
    }

    [Fact]
    public void Each_answer_has_its_own_schema()
    {
        string[] names = ["a", "b", "a"];
        foreach (var name in names)
        {
            var options = new GenerationOptions { Format = AnswerFormat.JsonSchema($$$"""{"properties": {"{{{name}}}": {"type": "null"}}, "required": ["{{{name}}}"]}""") };
            Assert.Equal("{\"" + name + "\":null}", string.Concat(omni.Model.Generate(Verse, options)).Replace(" ", "", StringComparison.Ordinal));
        }
    }

    // The end is one of the tokens that may follow a whole number, and of none before.
    [Fact]
    public void A_number_ends_where_the_model_ends_it()
    {
        var pieces = omni.Model.GeneratePieces(Verse, new GenerationOptions { Format = AnswerFormat.JsonSchema("""{"type": "integer"}"""), MaxTokens = 40 }).ToArray();

        Assert.True(long.TryParse(string.Concat(pieces.Select(piece => piece.Text)), out _));
        Assert.Equal(EndReason.StopToken, pieces[^1].End);
    }

    [Fact]
    public void A_schema_that_cannot_be_kept_is_refused_before_the_enumeration()
        => Assert.Equal(DiagnosticCodes.AnswerFormatUnsupported, Assert.Throws<MASQuantException>(() => omni.Model.GeneratePiecesAsync(Verse, new GenerationOptions { Format = AnswerFormat.JsonSchema("{\"not\": true}") })).Code);
}
