using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Execution;

/// <summary>Answers of a batch are those of its prompts alone.</summary>
public sealed class LoadedModelBatchTests : IDisposable
{
    private const int Slots = 3;
    private static readonly GenerationOptions Short = new() { MaxTokens = 9 };
    private readonly LoadedModel _model = LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { MaxSequences = Slots });
    private readonly TemporaryDirectory _folder = new();

    // More prompts than slots, whose answers end at different times.
    private static Prompt[] Prompts =>
    [
        new Prompt().Text("Quote a verse."),
        GoldenPrompt.Of(Golden.Load("omni/audio")),
        new Prompt().Text("Say one."),
        GoldenPrompt.Of(Golden.Load("omni/image-audio")),
        new Prompt().Text("Quote a verse of the second book."),
        GoldenPrompt.Of(Golden.Load("omni/image")),
        new Prompt().Text("?"),
    ];

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1.5)]
    public void Answers_equal_those_of_the_prompts_alone(double temperature)
    {
        var options = Short with { Temperature = temperature, TopK = 40, Seed = ulong.MaxValue - 2 };
        var alone = Prompts.Select((prompt, i) => Alone(prompt, options with { Seed = unchecked(options.Seed + (ulong)i) })).ToArray();
        var lengths = Prompts.Select(prompt => _model.GenerateTokens(_model.Prepare(prompt), options).Count());

        Assert.Equal(alone, _model.GenerateBatch(Prompts, options));
        Assert.True(lengths.Distinct().Count() > 1);
        Assert.True(alone.Distinct().Count() > 3);
    }

    [Fact]
    public async Task Pieces_say_whose_they_are_and_when_an_answer_ends()
    {
        var pieces = await Pieces(Prompts);

        foreach (var (prompt, i) in Prompts.Select((prompt, i) => (prompt, i)))
        {
            var mine = pieces.Where(piece => piece.Prompt == i).ToArray();
            Assert.Equal(Alone(prompt, Short), string.Concat(mine.Select(piece => piece.Text)));
            Assert.Equal([.. Enumerable.Repeat(false, mine.Length - 1), true], mine.Select(piece => piece.IsLast));
        }

        // Three at once: the second answer begins before the first has ended.
        Assert.InRange(pieces.FindIndex(piece => piece.Prompt == 1), 1, pieces.FindIndex(piece => piece is { Prompt: 0, IsLast: true }));
    }

    [Fact]
    public async Task Prompts_are_taken_when_there_is_room_and_let_go()
    {
        var (given, ended, most, alive) = (new List<WeakReference>(), 0, 0, 0);
        await foreach (var piece in _model.GenerateBatchAsync(Endless().Take(30), new GenerationOptions { MaxTokens = 2, StopTokens = [] }))
        {
            ended += piece.IsLast ? 1 : 0;
        }

        Assert.Equal(30, ended);
        Assert.Equal(Slots, most);
        Assert.InRange(alive, 1, Slots + 1); // and the one that was made last

        IEnumerable<Prompt> Endless()
        {
            while (true)
            {
                most = Math.Max(most, given.Count + 1 - ended);
                if (given.Count == 25)
                {
                    GC.Collect();
                    alive = given.Count(prompt => prompt.IsAlive);
                }

                yield return New();
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        Prompt New()
        {
            var prompt = new Prompt().Text("Say " + given.Count);
            given.Add(new WeakReference(prompt));
            return prompt;
        }
    }

    [Fact]
    public async Task A_prompt_that_fails_says_which_it_is_and_the_others_go_on()
    {
        Prompt[] prompts = [Prompts[0], new Prompt().Image("missing.png"), Prompts[2], Prompts[4]];
        var pieces = await Pieces(prompts);

        var failed = Assert.Single(pieces, piece => piece.Prompt == 1);
        Assert.True(failed.IsLast);
        Assert.Equal((DiagnosticCodes.FileNotReadable, "missing.png"), (failed.Error!.Code, failed.Error.File));
        Assert.StartsWith("Prompt 1 ", failed.Error.Description, StringComparison.Ordinal);
        foreach (var i in (int[])[0, 2, 3])
        {
            Assert.Equal(Alone(prompts[i], Short), string.Concat(pieces.Where(piece => piece.Prompt == i).Select(piece => piece.Text)));
        }

        var error = Assert.Throws<MASQuantException>(() => _model.GenerateBatch(prompts, Short));
        Assert.Equal(failed.Error.Message, error.Message);
        Assert.DoesNotContain("Prompt 0", Assert.Throws<MASQuantException>(() => _model.Generate(prompts[1]).First()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sequence_that_fills_the_models_positions_ends_there()
    {
        foreach (var file in Directory.GetFiles(RepositoryFiles.OmniTiny))
        {
            File.Copy(file, _folder.File(Path.GetFileName(file)));
        }

        // Room for the shorter prompt's answer, for three tokens of the next one's, and for none of the last one's prompt.
        Prompt[] prompts = [new Prompt().Text("Say one."), new Prompt().Text("Say one. Say one."), new Prompt().Text("Say one. Say one. Say one. Say one. Say one.")];
        var length = _model.Prepare(prompts[1]).InputIds.Length;
        Assert.InRange(length - _model.Prepare(prompts[0]).InputIds.Length, 2, 4);
        var config = JsonNode.Parse(File.ReadAllText(_folder.File("config.json")))!;
        var section = config["thinker_config"]?["text_config"] ?? config;
        section["max_position_embeddings"] = length + 2;
        File.WriteAllText(_folder.File("config.json"), config.ToJsonString());
        using var model = LoadedModel.Load(_folder.Path);

        var pieces = new List<BatchPiece>();
        await foreach (var piece in model.GenerateBatchAsync(prompts, new GenerationOptions { MaxTokens = 4, StopTokens = [] }))
        {
            pieces.Add(piece);
        }

        BatchPiece[] last = [.. Enumerable.Range(0, 3).Select(i => pieces.Single(piece => piece.Prompt == i && piece.IsLast))];
        Assert.Equal([EndReason.Length, EndReason.Length, EndReason.Failed], last.Select(piece => piece.End!.Value));
        Assert.Equal([null, null, DiagnosticCodes.SequenceTooLong], last.Select(piece => piece.Error?.Code));
        Assert.Equal([4, 3, 0], last.Select(piece => piece.Usage!.Value.GeneratedTokens));
        Assert.Equal(Alone(prompts[0], new GenerationOptions { MaxTokens = 4, StopTokens = [] }), Text(0));
        Assert.Equal(Alone(prompts[1], new GenerationOptions { MaxTokens = 3, StopTokens = [] }), Text(1)); // what it had before, as alone
        Assert.Empty(Text(2));

        string Text(int prompt) => string.Concat(pieces.Where(piece => piece.Prompt == prompt).Select(piece => piece.Text));
    }

    [Fact]
    public async Task Cancelling_ends_the_batch_in_the_middle()
    {
        using var cancellation = new CancellationTokenSource();
        var seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var piece in _model.GenerateBatchAsync(Prompts, Short, cancellation.Token))
            {
                if (++seen == 5)
                {
                    cancellation.Cancel();
                }
            }
        });
        Assert.Equal(5, seen);
        Assert.ThrowsAny<OperationCanceledException>(() => _model.GenerateBatch(Prompts, Short, cancellation.Token));
    }

    [Fact]
    public void Batches_of_none_and_of_one()
    {
        Assert.Empty(_model.GenerateBatch([]));
        Assert.Equal([Alone(Prompts[0], Short)], _model.GenerateBatch(Prompts[..1], Short));
        Assert.Throws<ArgumentNullException>(() => _model.GenerateBatch(null!));
        Assert.Throws<ArgumentNullException>(() => _model.GenerateBatch([Prompts[0], null!], Short));
        Assert.Equal(DiagnosticCodes.GenerationOptionOutOfRange, Assert.Throws<MASQuantException>(() => _model.GenerateBatch(Prompts, new GenerationOptions { TopP = 0 })).Code);
        Assert.Throws<ArgumentOutOfRangeException>(() => LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions { MaxSequences = 0 }));
    }

    private string Alone(Prompt prompt, GenerationOptions options) => string.Concat(_model.Generate(prompt, options));

    private async Task<List<BatchPiece>> Pieces(IEnumerable<Prompt> prompts)
    {
        var pieces = new List<BatchPiece>();
        await foreach (var piece in _model.GenerateBatchAsync(prompts, Short))
        {
            pieces.Add(piece);
        }

        return pieces;
    }
}
