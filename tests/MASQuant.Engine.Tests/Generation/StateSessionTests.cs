using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>Sequences of a model whose layers carry a state: the bits of a prompt alone, however it was cut, shared, guessed, continued or cancelled.</summary>
public sealed class StateSessionTests(StateModel states) : IClassFixture<StateModel>
{
    private static readonly int[] Answer = [5, 900, 17, 17, 1200, 3];
    private readonly Decoder _decoder = states.Model.Decoder;
    private readonly PreparedPrompt _prompt = states.Model.Prepare(new Prompt().Image(RepositoryFiles.Data("media/eval-ocr-000.png")).Text("Read the digits.").Messages);

    [Fact]
    public void Decoding_equals_evaluating_everything_again()
    {
        int[] text = [.. Enumerable.Range(100, 150)];
        var session = new DecoderSession(_decoder);
        var steps = new List<float[]> { session.Prefill(Text(text)).ToArray() };
        steps.AddRange(Answer.Select(id => session.Step(id).ToArray()));
        var logits = new DecoderSession(_decoder).Logits(Text([.. text, .. Answer]), (text.Length - 1)..);
        for (var i = 0; i < steps.Count; i++)
        {
            Assert.Equal(logits.Row(i).ToArray(), steps[i]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    public void Prefill_in_parts_equals_prefill_at_once(int tokens)
        => Assert.Equal(new DecoderSession(_decoder).Logits(_prompt, ..).Data, new DecoderSession(_decoder, tokens).Logits(_prompt, ..).Data);

    [Fact]
    public void A_block_without_a_cache_starts_afresh()
    {
        var (workspace, rotary) = (new DecoderWorkspace(_decoder.Config), new RotaryTable(_decoder.Description.Rotary));
        rotary.Set(_prompt.PositionIds);
        var (once, again) = (_prompt.InputEmbeddings.Copy(), _prompt.InputEmbeddings.Copy());
        _decoder.Blocks[0].Forward(once, _prompt.Modalities, rotary, workspace);
        _decoder.Blocks[0].Forward(again, _prompt.Modalities, rotary, workspace);
        Assert.Equal(once.Data, again.Data);
    }

    [Fact]
    public void A_session_starts_afresh_with_each_prompt()
    {
        var session = new DecoderSession(_decoder);
        var first = session.Prefill(_prompt).ToArray();
        session.Step(5);
        Assert.Equal(first, session.Prefill(_prompt).ToArray());
    }

    // In the last block, when those before it have taken the token.
    [Fact]
    public void A_cancelled_step_leaves_the_sequence_as_it_was()
    {
        using var cancellation = new CancellationTokenSource();
        var last = _decoder.Blocks.Count - 2;
        var cancelling = _decoder with { Blocks = [.. _decoder.Blocks.Select((block, i) => i == last ? block.With(InputGroup.Down, new Cancelling(block[InputGroup.Down], cancellation)) : block)] };
        var session = new DecoderSession(cancelling);
        session.Prefill(_prompt);
        Assert.ThrowsAny<OperationCanceledException>(() => session.Step(5, cancellation.Token));

        var undisturbed = new DecoderSession(_decoder);
        undisturbed.Prefill(_prompt);
        Assert.Equal(undisturbed.Step(5).ToArray(), session.Step(5).ToArray());
        Assert.Equal(undisturbed.Step(6).ToArray(), session.Step(6).ToArray());
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        var session = new DecoderSession(_decoder);
        session.Prefill(_prompt);
        Steps(20); // Buffers grow, pools fill.
        var before = GC.GetAllocatedBytesForCurrentThread();
        Steps(4);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Steps(int count)
        {
            for (var i = 0; i < count; i++)
            {
                session.Step(7);
            }
        }
    }

    // Random weights repeat themselves, but not always: guesses come true in part.
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(64)]
    public void Guesses_change_no_answer(int draft)
    {
        var wrong = 0;
        foreach (var (text, temperature) in new[] { ("one two one two one two one two", 0.0), ("Quote a verse.", 0.0), ("a b a b a b", 0.4) })
        {
            var options = new GenerationOptions { MaxTokens = 48, StopTokens = [], Temperature = temperature, Seed = 3, DraftTokens = 0 };
            var drafted = states.Model.GeneratePieces(new Prompt().Text(text), options with { DraftTokens = draft }).ToList();
            Assert.Equal(string.Concat(states.Model.Generate(new Prompt().Text(text), options)), string.Concat(drafted.Select(piece => piece.Text)));
            wrong += 48 - drafted[^1].Usage!.Value.DraftedTokens;
        }

        Assert.InRange(wrong, 1, (3 * 48) - 1); // Some came true, and some did not.
    }

    [Fact]
    public void A_pass_can_be_taken_back_from_any_token_on()
    {
        int[] ids = [5, 900, 17, 1200, 3, 77];
        for (var stays = 0; stays <= ids.Length; stays++)
        {
            var (cache, plain) = (Prefilled(), Prefilled());
            cache.KeepsPasses = true;
            Run(cache, ids);
            cache.Truncate(cache.Length - (ids.Length - stays));
            foreach (var id in ids[..stays])
            {
                Run(plain, [id]);
            }

            Assert.Equal(plain.Length, cache.Length);
            cache.KeepsPasses = false;
            Assert.Equal(Run(plain, [42]), Run(cache, [42]));
        }
    }

    [Fact]
    public void What_was_passed_is_told_and_not_made_up()
    {
        var cache = Prefilled();
        Run(cache, [5, 6]);
        Run(cache, [7]);
        Assert.Throws<InvalidOperationException>(() => cache.Truncate(cache.Length - 2));
        Assert.Equal(0, cache.Usable(cache.Length - 1));
        Assert.Equal(cache.Length, cache.Usable(cache.Length + 9));
    }

    [Fact]
    public void Caches_begin_behind_the_lengths_whose_states_are_kept()
    {
        var cache = Prefilled();
        cache.KeepStates();
        var kept = cache.Length;
        Run(cache, [5, 6, 7]);
        Assert.Equal((kept, kept, kept + 3), (cache.Usable(kept), cache.Usable(kept + 2), cache.Usable(kept + 3)));

        var (begun, plain) = (new KvCache(_decoder.Config), Prefilled());
        begun.CopyFrom(cache, kept);
        Assert.Equal(Run(plain, [9]), Run(begun, [9]));
        Assert.Equal(kept, begun.Usable(kept)); // What it took goes with it.

        begun.CopyFrom(cache, kept + 3);
        Assert.Equal(Run(cache, [9]), Run(begun, [9]));
    }

    // 3 layers of states, both sides of a pass: 4 heads · 32 · 32 and 3 rows of 256; of one layer keys and values of 2 heads of 64.
    [Fact]
    public void States_take_the_same_memory_at_every_length()
    {
        var memory = SequenceMemory.Of(_decoder.Description);
        Assert.Equal((2L * 2 * 64 * sizeof(float), 3L * 2 * ((4 * 32 * 32) + (3 * 256)) * sizeof(float)), (memory.TokenBytes, memory.StateBytes));
        Assert.Equal(memory with { TokenBytes = 2 * memory.TokenBytes }, SequenceMemory.Of(_decoder.Description, guesses: true)); // The block that guesses attends, too.
        var cache = Prefilled();
        AssertBytes();
        Run(cache, new int[2000]);
        AssertBytes();

        // Keys and values come in blocks, of which the last one has room.
        void AssertBytes() => Assert.InRange((cache.Bytes - memory.StateBytes) / memory.TokenBytes, cache.Length, cache.Length + KvCacheLayer.BlockKeys - 1);
    }

    [Fact]
    public async Task Later_prompts_begin_where_two_parted()
    {
        using var model = LoadedModel.Load(states.Folder);
        var options = new GenerationOptions { MaxTokens = 4, StopTokens = [] };
        const string System = "You answer in one word, and you know of the sea, of the hills and of the cities beyond them.";
        var cached = new List<int>();
        foreach (var question in new[] { "What is blue?", "Who is there?", "Where to go?", "Where to go?" })
        {
            var (prompt, text) = (new Prompt().System(System).Text(question), "");
            await foreach (var piece in model.GeneratePiecesAsync(prompt, options))
            {
                text += piece.Text;
                if (piece.Usage is { } usage)
                {
                    cached.Add(usage.CachedTokens);
                }
            }

            Assert.Equal(string.Concat(model.Generate(prompt, options)), text);
        }

        Assert.Equal((0, 0), (cached[0], cached[1])); // The second shows where they part.
        Assert.InRange(cached[2], 10, int.MaxValue);
    }

    private KvCache Prefilled()
    {
        var cache = new KvCache(_decoder.Config);
        Run(cache, [11, 12, 13, 14, 15, 16, 17, 18]);
        return cache;
    }

    private float[] Run(KvCache cache, int[] ids)
    {
        var (hidden, rotary) = (new Matrix(ids.Length, _decoder.Config.HiddenSize), new RotaryTable(_decoder.Description.Rotary));
        _decoder.Embedding.Lookup(ids, hidden);
        rotary.Set([.. Enumerable.Range(cache.Length, ids.Length)]);
        _decoder.Forward(hidden, ModalityMap.Text(ids.Length), rotary, new DecoderWorkspace(_decoder.Config), cache);
        return hidden.Row(ids.Length - 1).ToArray();
    }

    private PreparedPrompt Text(int[] ids)
    {
        var hidden = new Matrix(ids.Length, _decoder.Config.HiddenSize);
        _decoder.Embedding.Lookup(ids, hidden);
        return new PreparedPrompt { InputIds = ids, PositionIds = PositionIds.Text(0, ids.Length), InputEmbeddings = hidden, Modalities = ModalityMap.Text(ids.Length), AnswerRange = ids.Length.. };
    }

    /// <summary>Cancels in the middle of a one-token run.</summary>
    private sealed class Cancelling(ILinearGroup inner, CancellationTokenSource cancellation) : ILinearGroup
    {
        public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
        {
            if (x.Rows == 1)
            {
                cancellation.Cancel();
            }

            inner.Forward(x, modalities, outputs);
        }
    }
}
