using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>Guesses of the model's own head are those of its definition, whatever came before; and no answer changes by them.</summary>
public sealed class HeadGuessTests(GuessModel model) : IClassFixture<GuessModel>
{
    private readonly Decoder _decoder = model.Plain.Decoder;

    // The prompt in parts of any length, passes of several tokens of which some are taken back, what waits settled or not, and a sequence that begins behind a copy.
    [Theory]
    [InlineData(1000, false)]
    [InlineData(7, false)]
    [InlineData(1, true)]
    public void They_are_those_of_the_definition(int part, bool copies)
    {
        var prompt = model.Plain.Prepare(new Prompt().Image(RepositoryFiles.Data("media/eval-ocr-000.png")).Text("Read the digits.").Messages);
        var (config, reference) = (_decoder.Config, new ReferenceGuessHead(model.Source));
        var (workspace, rotary, cache) = (new DecoderWorkspace(config), new RotaryTable(_decoder.Description.Rotary), new KvCache(config, guesses: true));
        var own = new HeadGuesses(_decoder, model.Head, workspace, rotary);
        var (left, embeddings, positions) = (new List<float[]>(), new List<float[]>(), new List<int[]>());
        for (var start = 0; start < prompt.InputIds.Length;)
        {
            var count = Math.Min(part, prompt.InputIds.Length - start);
            var output = new Matrix(count, config.HiddenSize);
            prompt.InputEmbeddings.Span.Slice(start * config.HiddenSize, output.Span.Length).CopyTo(output.Span);
            rotary.Set(prompt.PositionIds, start, count);
            _decoder.Forward(output, new ModalityMap(prompt.Modalities.Tokens.Slice(start, count)), rotary, workspace, cache);
            own.Follow(cache, prompt, start, output);
            Take(output);
            start += count;
        }

        embeddings.AddRange(Enumerable.Range(1, prompt.InputIds.Length - 1).Select(row => prompt.InputEmbeddings.Row(row).ToArray()));
        positions.AddRange(Enumerable.Range(0, prompt.InputIds.Length).Select(t => new[] { prompt.PositionIds.Time[t], prompt.PositionIds.Height[t], prompt.PositionIds.Width[t] }));
        cache.NextPosition = prompt.PositionIds.Next;
        int[][] passes = [[5], [900, 17, 1203, 44], [3, 77], [801], [12, 13, 14]];
        foreach (var (pass, stays) in passes.Zip([1, 2, 2, 1, 1]))
        {
            if (copies)
            {
                own.Settle(cache);
                var copy = new KvCache(config, guesses: true) { NextPosition = cache.NextPosition };
                copy.CopyFrom(cache, cache.Length);
                cache = copy;
            }

            AssertGuesses(pass[0], pass.Length);
            cache.KeepsPasses = true;
            var output = new Matrix(pass.Length, config.HiddenSize);
            _decoder.Embedding.Lookup(pass, output);
            rotary.Set([.. pass.Select((_, i) => cache.NextPosition + i)]);
            _decoder.Forward(output, ModalityMap.Text(pass.Length), rotary, workspace, cache);
            var normed = new Matrix(pass.Length, config.HiddenSize);
            _decoder.FinalNorm.Apply(output, normed);
            cache.Guesses!.Follow(cache.Length - pass.Length, pass, normed);
            cache.Truncate(cache.Length - (pass.Length - stays));
            for (var i = 0; i < stays; i++)
            {
                embeddings.Add(Embedding(pass[i]));
                positions.Add([cache.NextPosition, cache.NextPosition, cache.NextPosition]);
                cache.NextPosition++;
            }

            Take(output.Top(stays));
        }

        void Take(Matrix output)
        {
            var normed = new Matrix(output.Rows, output.Columns);
            _decoder.FinalNorm.Apply(output, normed);
            left.AddRange(Enumerable.Range(0, output.Rows).Select(row => normed.Row(row).ToArray()));
        }

        // FP32 sums of at most 256 terms differ from FP64's by 256 · 2⁻²⁴ of their terms' sum, which is below 32 times a value here; ten such stand behind each other, of a guess behind others in turn.
        void AssertGuesses(int token, int count)
        {
            var (expected, logits) = reference.Guess(left, [.. embeddings, Embedding(token)], positions, count);
            Assert.All(expected, guess => Assert.InRange(guess.Lead, 1e-3, double.MaxValue));
            Assert.Equal(expected.Select(guess => guess.Token), own.Guess(cache, token, count).ToArray());
            var bound = count * 10 * 32 * 256 * Math.Pow(2, -24) * logits.Max(Math.Abs);
            Assert.All(logits.Zip(workspace.Logits(1).Row(0).ToArray()), pair => Assert.InRange(pair.Second, pair.First - bound, pair.First + bound));
            Assert.Empty(own.Guess(cache, token, count).ToArray()); // Nothing waits: a step that was cancelled goes on without a guess.
        }
    }

    public static TheoryData<GenerationOptions> Ways => new()
    {
        new GenerationOptions { StopTokens = [] },
        new GenerationOptions { StopTokens = [], Temperature = 0.8, Seed = 4 },
        new GenerationOptions { StopTokens = [], RepetitionPenalty = 1.2, FrequencyPenalty = 0.3 },
        new GenerationOptions { Format = AnswerFormat.JsonSchema("""{"type": "array", "items": {"type": "boolean"}, "minItems": 12, "maxItems": 12}""") },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public void An_answer_is_the_one_without_guesses(GenerationOptions options)
    {
        using var guessing = model.Load(decoder => decoder with { GuessHead = model.Head });
        foreach (var tokens in new[] { 40, 41, 42, 43 })
        {
            var plain = Answer(model.Plain, options with { MaxTokens = tokens, DraftTokens = 0 });
            foreach (var draft in new[] { 1, 2, 8 })
            {
                var drafted = Answer(guessing, options with { MaxTokens = tokens, DraftTokens = draft });
                Assert.Equal(plain.Text, drafted.Text);
                Assert.Equal(plain.Usage, drafted.Usage with { DraftedTokens = 0 });
            }
        }
    }

    // Tokens follow each other without repeating, so that nothing else guesses them, and blocks disturb them now and then.
    [Fact]
    public void What_does_not_repeat_is_guessed_too()
    {
        using var plain = model.Load(decoder => model.Chain(decoder) with { GuessHead = null });
        using var guessing = model.Load(model.Chain);
        var options = new GenerationOptions { MaxTokens = 200, StopTokens = [] };
        var (expected, answer) = (Answer(plain, options), Answer(guessing, options));
        Assert.Equal(expected.Text, answer.Text);
        Assert.Equal(expected.Usage with { DraftedTokens = 0 }, answer.Usage with { DraftedTokens = 0 });
        Assert.InRange(answer.Usage.DraftedTokens - expected.Usage.DraftedTokens, 40, 180); // Some come true, and some do not.
        Assert.Equal(0, Answer(guessing, options with { DraftTokens = 0 }).Usage.DraftedTokens);
    }

    // Guesses that come true lengthen, up to what is asked for.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(8, 3)]
    public void No_more_are_guessed_at_once_than_asked_for(int draft, int most)
    {
        var (guesses, seen) = (0, 0);
        using var guessing = model.Load(decoder =>
        {
            var chain = model.Chain(decoder);
            return chain with
            {
                GuessHead = chain.GuessHead! with { Head = new Watched(chain.GuessHead.Head, () => seen = Math.Max(seen, ++guesses)) },
                Head = new Watched(chain.Head, () => guesses = 0),
            };
        });
        Answer(guessing, new GenerationOptions { MaxTokens = 200, StopTokens = [], DraftTokens = draft });
        Assert.Equal(most, seen);
    }

    // Behind all that an ended sequence has left, whatever of it had come by a guess.
    [Theory]
    [InlineData(20)]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    public void What_was_kept_is_guessed_on_from(int steps)
    {
        var chain = model.Chain(_decoder);
        using IDecoderSession session = new DecoderSession(chain);
        var options = new GenerationOptions { MaxTokens = 60, StopTokens = [] };
        var first = new Sequence(0, options, []);
        List<int> ids = [11, 302, 77, 940];
        session.Begin(Text(0), null);
        Assert.True(session.Advance(first, int.MaxValue, default));
        for (var step = 0; step < steps; step++)
        {
            ids.Add(first.Token);
            session.Step([first], default);
        }

        var kept = session.Keep(0)!;
        Assert.Equal(ids.Count, kept.Length);
        ids.AddRange([5, 6]);
        var second = new Sequence(1, options, []);
        session.Begin(Text(kept.Length), kept);
        Assert.True(session.Advance(second, int.MaxValue, default));
        for (var step = 0; step < 12; step++)
        {
            session.Step([second], default);
        }

        Assert.InRange(second.Usage.DraftedTokens, 3, 12); // Nothing repeats in so few tokens.

        PreparedPrompt Text(int evaluated)
        {
            var embeddings = new Matrix(ids.Count - evaluated, chain.Config.HiddenSize);
            chain.Embedding.Lookup(ids.ToArray().AsSpan(evaluated), embeddings);
            return new PreparedPrompt { InputIds = [.. ids], Evaluated = evaluated, PositionIds = PositionIds.Text(0, ids.Count), InputEmbeddings = embeddings, Modalities = ModalityMap.Text(ids.Count), AnswerRange = ids.Count.. };
        }
    }

    [Fact]
    public void Who_guessed_is_told_unless_the_sequence_has_ended()
    {
        var (tokens, guesser, logits) = (new DraftedTokens(), new Told(), new Matrix(4, 8));
        tokens.Begin([1, 2, 3], logits, guesser);
        Assert.True(tokens.TryTake(1, out _));
        Assert.Equal(2, tokens.End(goesOn: false));
        Assert.Null(guesser.Last);
        tokens.Begin([1, 2, 3], logits, guesser);
        Assert.True(tokens.TryTake(1, out _) && tokens.TryTake(2, out _));
        Assert.Equal(1, tokens.End(goesOn: true));
        Assert.Equal((3, 2), guesser.Last);
    }

    // A turn that goes on behind what was kept, alone and among others that come and go.
    [Fact]
    public async Task Conversations_and_batches_are_the_same_too()
    {
        using var plain = model.Load(decoder => model.Chain(decoder) with { GuessHead = null });
        using var guessing = model.Load(model.Chain);
        var options = new GenerationOptions { MaxTokens = 40, StopTokens = [] };
        var prompt = new Prompt().System("You answer in one word.").Text("What is blue?");
        foreach (var question in new[] { "Who is there?", "Where to go?", "Where to go?" })
        {
            var expected = await AnswerAsync(plain, prompt, options);
            var answer = await AnswerAsync(guessing, prompt, options);
            Assert.Equal(expected.Text, answer.Text);
            Assert.Equal(expected.Usage.CachedTokens, answer.Usage.CachedTokens);
            Assert.InRange(answer.Usage.DraftedTokens, 8, 40);
            prompt = prompt.Assistant(answer.Text).User().Text(question);
        }

        Prompt[] prompts = [.. Enumerable.Range(0, 6).Select(i => new Prompt().Text($"Count to {i}."))];
        GenerationOptions Of(int i) => options with { MaxTokens = 10 + (9 * i) };
        var together = await Task.WhenAll(prompts.Select((each, i) => AnswerAsync(guessing, each, Of(i))));
        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.Equal((await AnswerAsync(plain, prompts[i], Of(i))).Text, together[i].Text);
        }
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        var decoder = model.Chain(_decoder);
        using IDecoderSession session = new DecoderSession(decoder);
        var sequence = new Sequence(0, new GenerationOptions { MaxTokens = 1000 }, []);
        session.Begin(model.Plain.Prepare(new Prompt().Text("Count.").Messages), null);
        Assert.True(session.Advance(sequence, int.MaxValue, default));
        Sequence[] rows = [sequence];
        var (least, drafted) = (long.MaxValue, 0);
        for (var window = 0; window < 12; window++)
        {
            // Buffers grow and pools fill at first; what knows the tokens, and room for keys and values, grow now and then.
            (var before, drafted) = (GC.GetAllocatedBytesForCurrentThread(), sequence.Usage.DraftedTokens);
            for (var i = 0; i < 12; i++)
            {
                session.Step(rows, default);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            drafted = sequence.Usage.DraftedTokens - drafted;
        }

        Assert.Equal(0, least);
        Assert.InRange(drafted, 1, 12);
    }

    private float[] Embedding(int id)
    {
        var row = new Matrix(1, _decoder.Config.HiddenSize);
        _decoder.Embedding.Lookup([id], row);
        return row.Data;
    }

    private static (string Text, AnswerUsage Usage) Answer(LoadedModel model, GenerationOptions options)
    {
        var pieces = model.GeneratePieces(new Prompt().Text("Quote a verse."), options).ToList();
        return (string.Concat(pieces.Select(piece => piece.Text)), pieces[^1].Usage!.Value);
    }

    private static async Task<(string Text, AnswerUsage Usage)> AnswerAsync(LoadedModel model, Prompt prompt, GenerationOptions options)
    {
        var (text, usage) = ("", default(AnswerUsage));
        await foreach (var piece in model.GeneratePiecesAsync(prompt, options))
        {
            text += piece.Text;
            usage = piece.Usage ?? usage;
        }

        return (text, usage);
    }

    private sealed class Watched(ILinearGroup inner, Action see) : ILinearGroup
    {
        public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
        {
            see();
            inner.Forward(x, modalities, outputs);
        }
    }

    private sealed class Told : IGuesser
    {
        public (int Guessed, int Right)? Last { get; private set; }

        public void Learn(int guessed, int right) => Last = (guessed, right);
    }
}
