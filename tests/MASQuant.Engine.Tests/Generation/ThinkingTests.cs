using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>A model thinks before it answers: prompt, thought, answer and what belongs to the answer alone, on every way to it.</summary>
public sealed class ThinkingTests : IDisposable
{
    private static readonly Prompt Question = new Prompt().Text("Now?");
    private static readonly GenerationOptions Thinking = new() { Thinks = true };
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("I look.", "\n", "</think>")]
    [InlineData("I look.\n</th", "ink", ">")] // a mark of several tokens
    [InlineData("I ", "look.", " \n</think>")]
    public async Task Thought_comes_apart_from_the_answer(params string[] thought)
    {
        // A line end that is said once more would begin the thought again.
        using var model = Model([.. thought.Select(piece => piece == "\n" ? " \n" : piece), ThinkingCheckpoint.Closed], "No", "on.");
        foreach (var pieces in (BatchPiece[][])[[.. model.GeneratePieces(Question, Thinking)], [.. await Pieces(model.GeneratePiecesAsync(Question, Thinking))], [.. await Pieces(model.GenerateBatchAsync([Question], Thinking))],
            [.. model.GeneratePieces(model.Prepare(Question, thinks: true, default), new GenerationOptions())]])
        {
            AssertAnswer(pieces, "I look.", "Noon.", EndReason.StopToken, thought.Length + 4); // and the line ends, two tokens of the answer, the end of the turn
        }

        Assert.Equal("Noon.", string.Concat(model.Generate(Question, Thinking)));
        Assert.Equal(["Noon."], model.GenerateBatch([Question], Thinking));
        AssertAnswer([.. model.GeneratePieces(Question)], "", "Noon.", EndReason.StopToken, 3);
    }

    [Fact]
    public void A_thought_that_never_ends_is_no_answer()
    {
        using var model = Model(["Hm. "], "Noon.");
        AssertAnswer([.. model.GeneratePieces(Question, Thinking with { MaxTokens = 5 })], "Hm. Hm. Hm. Hm. Hm.", "", EndReason.Length, 5);
    }

    [Fact]
    public void The_turn_may_end_within_a_thought()
    {
        using var model = Model(["Hm. ", " </think", "<|im_end|>"], "Noon.");
        AssertAnswer([.. model.GeneratePieces(Question, Thinking)], "Hm.  </think", "", EndReason.StopToken, 3);
    }

    [Fact]
    public void Stop_strings_are_of_the_answer_and_tokens_of_both()
    {
        using var model = Model(["It is noon", "</think>", ThinkingCheckpoint.Closed], "It is ", "noon", " here.");
        AssertAnswer([.. model.GeneratePieces(Question, Thinking with { StopStrings = ["noon"] })], "It is noon", "It is ", EndReason.StopString, 5);
        AssertAnswer([.. model.GeneratePieces(Question, Thinking with { MaxTokens = 5 })], "It is noon", "It is noon", EndReason.Length, 5);
    }

    [Fact]
    public void A_format_begins_behind_the_thought()
    {
        // Of tokens that are text: tokens that a file adds are no part of what is held to a format, but for the mark.
        using var model = Model(["a", "</think>"], "Noon.");
        var options = Thinking with { Format = AnswerFormat.JsonSchema("""{"type": "object", "properties": {"noon": {"type": "boolean"}}, "required": ["noon"]}""") };
        for (var draft = 0; draft <= 4; draft += 4)
        {
            BatchPiece[] pieces = [.. model.GeneratePieces(Question, options with { DraftTokens = draft })];
            Assert.Equal("a", Thought(pieces));
            Assert.Contains(JsonDocument.Parse(Text(pieces)).RootElement.GetProperty("noon").ValueKind, (JsonValueKind[])[JsonValueKind.True, JsonValueKind.False]);
            Assert.Equal(EndReason.StopToken, pieces[^1].End);
        }

        // Without thought the same format, whose masks are shared, begins at once.
        var closed = Text([.. model.GeneratePieces(Question, options with { Thinks = false })]);
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(closed).RootElement.ValueKind);
    }

    [Fact]
    public void A_format_keeps_the_turn_from_ending_within_the_thought()
    {
        using var model = Model(["a", "<|im_end|>"], "Noon.");
        AssertAnswer([.. model.GeneratePieces(Question, Thinking with { MaxTokens = 1 })], "a", "", EndReason.Length, 1);
        var pieces = model.GeneratePieces(Question, Thinking with { Format = AnswerFormat.Json, MaxTokens = 3 }).ToArray();
        Assert.Equal((EndReason.Length, 3, ""), (pieces[^1].End, pieces[^1].Usage!.Value.GeneratedTokens, Text(pieces)));
    }

    [Fact]
    public void What_cannot_think_refuses_before_anything_is_computed()
    {
        using var model = LoadedModel.Load(RepositoryFiles.VlTiny);
        foreach (var ask in (Action[])[() => model.GeneratePieces(Question, Thinking), () => model.GeneratePiecesAsync(Question, Thinking), () => model.GenerateBatchAsync([Question], Thinking).GetAsyncEnumerator().MoveNextAsync().AsTask().GetAwaiter().GetResult(), () => model.Prepare(Question, thinks: true, default)])
        {
            Assert.Equal(DiagnosticCodes.ThoughtUnsupported, Assert.Throws<MASQuantException>(ask).Code);
        }

        using var thinker = Model(["a"], "Noon.");
        var error = Assert.Throws<MASQuantException>(() => thinker.GeneratePieces(thinker.Prepare(Question), Thinking));
        Assert.Equal(DiagnosticCodes.ThoughtUnsupported, error.Code);
        Assert.Contains("prepared without thought", error.Description, StringComparison.Ordinal);
    }

    // However long: where it is left out it takes nothing, and where it is written it counts.
    [Fact]
    public void Thoughts_count_where_they_are_written()
    {
        using var model = Model(["a"], "Noon.");
        var thought = string.Concat(Enumerable.Repeat("Hm! ", 100_000));
        var tokens = model.Prepare(new Prompt().Text("Now?").Assistant("Noon.").Text("And now?")).InputIds;
        Assert.Equal(tokens, model.Prepare(new Prompt().Text("Now?").Assistant("Noon.", thought).Text("And now?")).InputIds);
        var error = Assert.Throws<MASQuantException>(() => model.Prepare(new Prompt().Text("Now?").Assistant("", thought).ToolCall("now", "{}").ToolResult("12:00")));
        Assert.Equal(DiagnosticCodes.SequenceTooLong, error.Code);
        Assert.Contains("characters", error.Description, StringComparison.Ordinal); // before it is made tokens of
        using var other = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions { Limits = new ModelLimits { PromptTokens = 200 } });
        Assert.NotEmpty(other.Prepare(new Prompt().Text("Now?").Assistant("", thought).ToolCall("now", "{}").ToolResult("12:00")).InputIds);
    }

    // Random weights never end their thought by design, nor is it known: it is the text of their tokens.
    [Fact]
    public async Task Random_weights_think_alike_on_every_way()
    {
        var folder = SmallCheckpoint.WriteWithStates(_folder.File("random"));
        ThinkingCheckpoint.WriteTokenizer(Path.Combine(folder, "tokenizer.json"), "<think>", "</think>");
        await AssertThinksAlike(folder);
    }

    [SkippableFact]
    public async Task Trained_weights_think_alike_on_every_way() => await AssertThinksAlike(ThinkingCheckpoint.WriteTrained(_folder.File("trained")));

    private static async Task AssertThinksAlike(string folder)
    {
        using var model = LoadedModel.Load(folder);
        foreach (var options in (GenerationOptions[])[Thinking with { MaxTokens = 24 }, Thinking with { MaxTokens = 24, Temperature = 1.5, Seed = 3 }])
        {
            var prepared = model.Prepare(Question, thinks: true, default);
            Assert.EndsWith("<|im_start|>assistant\n<think>\n", model.Tokenizer.Decode(prepared.InputIds), StringComparison.Ordinal);
            var tokens = model.GenerateTokens(prepared, options).ToArray();
            var text = model.Tokenizer.Decode(tokens, skipSpecial: true);
            var end = text.IndexOf("</think>", StringComparison.Ordinal);
            var (thought, answer) = end < 0 ? (text.Trim(), "") : (text[..end].Trim(), text[(end + "</think>".Length)..].TrimStart('\n'));
            foreach (var pieces in (BatchPiece[][])[[.. model.GeneratePieces(Question, options)], [.. await Pieces(model.GeneratePiecesAsync(Question, options))], [.. await Pieces(model.GenerateBatchAsync([Question], options))]])
            {
                AssertAnswer(pieces, thought, answer, pieces[^1].End, tokens.Length);
            }
        }
    }

    private LoadedModel Model(string[] thought, params string[] answer) => LoadedModel.Load(ThinkingCheckpoint.Write(_folder.File("model"), thought, answer));

    private static void AssertAnswer(BatchPiece[] pieces, string thought, string text, EndReason? end, int tokens)
    {
        Assert.Equal((thought, text), (Thought(pieces), Text(pieces)));
        Assert.Equal((end, tokens), (pieces[^1].End, pieces[^1].Usage!.Value.GeneratedTokens));
        Assert.All(pieces, piece => Assert.True(piece.Thought is null or { Length: > 0 }));
        Assert.Equal(pieces.Length - 1, pieces.TakeWhile(piece => !piece.IsLast).Count());
    }

    private static string Thought(IEnumerable<BatchPiece> pieces) => string.Concat(pieces.Select(piece => piece.Thought));

    private static string Text(IEnumerable<BatchPiece> pieces) => string.Concat(pieces.Select(piece => piece.Text));

    private static async Task<List<BatchPiece>> Pieces(IAsyncEnumerable<BatchPiece> pieces)
    {
        var all = new List<BatchPiece>();
        await foreach (var piece in pieces)
        {
            all.Add(piece);
        }

        return all;
    }
}
