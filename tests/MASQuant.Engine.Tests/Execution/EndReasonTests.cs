using MASQuant.Diagnostics;
using MASQuant.Engine.Tests.Models;

namespace MASQuant.Engine.Tests.Execution;

/// <summary>The last piece of an answer says why it ends, and what it took.</summary>
public sealed class EndReasonTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    private static readonly GenerationOptions Short = new() { MaxTokens = 12 };

    private static Prompt Verse => new Prompt().Text("Quote a verse.");

    [Fact]
    public async Task Pieces_put_together_are_the_answer_and_the_last_tells_what_it_took()
    {
        var tokens = omni.Model.GenerateTokens(omni.Model.Prepare(Verse), Short).ToArray();
        var prompt = omni.Model.Prepare(Verse).InputIds.Length;
        foreach (var (options, end, generated) in new[]
        {
            (Short, EndReason.Length, 12),
            (Short with { StopTokens = [tokens[3]] }, EndReason.StopToken, 4),
            (Short with { StopTokens = [tokens[11]] }, EndReason.StopToken, 12), // both: the model was done
        })
        {
            var pieces = omni.Model.GeneratePieces(Verse, options).ToArray();
            Assert.Equal(string.Concat(omni.Model.Generate(Verse, options)), string.Concat(pieces.Select(piece => piece.Text)));
            Assert.Equal((end, new AnswerUsage(prompt, generated), true), (pieces[^1].End, pieces[^1].Usage, pieces[^1].IsLast));
            Assert.All(pieces[..^1], piece => Assert.Equal((null, null, false), (piece.End, piece.Usage, piece.IsLast)));

            var asynchronous = new List<BatchPiece>();
            await foreach (var piece in omni.Model.GeneratePiecesAsync(Verse, options))
            {
                asynchronous.Add(piece with { Usage = piece.Usage is { } usage ? usage with { CachedTokens = 0 } : null }); // What was asked before may serve again.
            }

            Assert.Equal(pieces, asynchronous);
        }
    }

    // Every text inside the answer, so that it is within a token, at its edges and over several.
    [Fact]
    public void Stop_strings_end_an_answer_before_them()
    {
        var whole = string.Concat(omni.Model.Generate(Verse, Short));
        Assert.InRange(whole.Length, 20, 200);
        for (var start = 2; start + 7 < whole.Length; start += 5)
        {
            var stop = whole.Substring(start, 7);
            var pieces = omni.Model.GeneratePieces(Verse, Short with { StopStrings = ["\nnever", stop] }).ToArray();
            Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], string.Concat(pieces.Select(piece => piece.Text)));
            Assert.Equal(EndReason.StopString, pieces[^1].End);
            Assert.InRange(pieces[^1].Usage!.Value.GeneratedTokens, 1, 12);
        }

        // The beginning of one at the end is the answer's.
        Assert.Equal(whole, string.Concat(omni.Model.Generate(Verse, Short with { StopStrings = [whole[^3..] + "\0"] })));
    }

    [Fact]
    public async Task In_a_batch_each_answer_ends_for_its_own_reason()
    {
        Prompt[] prompts = [Verse, new Prompt().Image("missing.png").Text("What?"), new Prompt().Text("Say one."), Verse];
        var whole = string.Concat(omni.Model.Generate(Verse, Short));
        var options = Short with { StopStrings = [whole[10..15]] };
        var last = new Dictionary<int, BatchPiece>();
        var text = new string[prompts.Length];
        await foreach (var piece in omni.Model.GenerateBatchAsync(prompts, options))
        {
            text[piece.Prompt] += piece.Text;
            if (piece.IsLast)
            {
                last.Add(piece.Prompt, piece);
            }
        }

        Assert.Equal([EndReason.StopString, EndReason.Failed, omni.Model.GeneratePieces(prompts[2], options).Last().End, EndReason.StopString], Enumerable.Range(0, 4).Select(prompt => last[prompt].End));
        Assert.Equal((DiagnosticCodes.FileNotReadable, new AnswerUsage(0, 0)), (last[1].Error?.Code, last[1].Usage));
        Assert.Equal([whole[..10], "", string.Concat(omni.Model.Generate(prompts[2], options)), whole[..10]], text);
    }
}
