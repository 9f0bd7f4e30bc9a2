using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Artifacts;
using MASQuant.Engine.Tests.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Schemes;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>A step of several sequences is a step of each, bit for bit: every row of a product has one order of sums, and attention is each sequence's own.</summary>
public sealed class SeveralSequencesTests
{
    // More rows than any kernel's block takes at once, and the lengths of one, few and many tokens beside each other.
    [Theory]
    [InlineData("", 2)]
    [InlineData("", 19)]
    [InlineData("W4A8", 5)]
    [InlineData("W4A8", 16)]
    [InlineData("W8A8", 19)]
    [InlineData("W4A16", 2)]
    [InlineData("W4A16", 16)]
    public void A_step_of_several_is_a_step_of_each(string scheme, int count)
    {
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var decoder = Read(source, scheme);
        var (workspace, rotary) = (new DecoderWorkspace(decoder.Config), new RotaryTable(decoder.Description.Rotary));
        var caches = new KvCache[count];
        var (hidden, logits) = (new float[count][], new float[count][]);
        for (var i = 0; i < count; i++)
        {
            caches[i] = new KvCache(decoder.Config);
            Run([.. Enumerable.Range(0, 1 + (i * 37 % 90)).Select(token => (token * 13) + i)], 0, caches[i]);
            var alone = Run([100 + i], Position(i), caches[i]);
            (hidden[i], logits[i]) = (alone.Span.ToArray(), Logits(alone).Row(0).ToArray());
            caches[i].Truncate(caches[i].Length - 1);
        }

        var lengths = caches.Select(cache => cache.Length).ToArray();
        var together = Embed([.. Enumerable.Range(100, count)]);
        rotary.Set([.. Enumerable.Range(0, count).Select(Position)]);
        decoder.Forward(together, ModalityMap.Text(count), rotary, workspace, caches, deepstack: null, afterBlock: null, default);
        var all = Logits(together);
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(hidden[i], together.Row(i).ToArray());
            Assert.Equal(logits[i], all.Row(i).ToArray());
            Assert.Equal(lengths[i] + 1, caches[i].Length);
        }

        // Behind media positions jump.
        int Position(int sequence) => caches[sequence].Length + (5 * sequence);

        Matrix Embed(int[] ids)
        {
            var rows = new Matrix(ids.Length, decoder.Config.HiddenSize);
            decoder.Embedding.Lookup(ids, rows);
            return rows;
        }

        Matrix Run(int[] ids, int position, KvCache cache)
        {
            var rows = Embed(ids);
            rotary.Set([.. Enumerable.Range(position, ids.Length)]);
            decoder.Forward(rows, ModalityMap.Text(ids.Length), rotary, workspace, cache);
            return rows;
        }

        Matrix Logits(Matrix rows)
        {
            var result = new Matrix(rows.Rows, decoder.Config.VocabularySize);
            decoder.Logits(rows, workspace, result);
            return result;
        }
    }

    [Fact]
    public void A_cancelled_step_leaves_every_sequence_as_it_was()
    {
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        using var cancellation = new CancellationTokenSource();
        var decoder = Read(source, "");
        var cancelling = decoder with { Blocks = [decoder.Blocks[0].With(InputGroup.Down, new Cancelling(decoder.Blocks[0][InputGroup.Down], cancellation)), .. decoder.Blocks.Skip(1)] };
        var (workspace, rotary) = (new DecoderWorkspace(decoder.Config), new RotaryTable(decoder.Description.Rotary));
        KvCache[] caches = [new(decoder.Config), new(decoder.Config)];
        rotary.Set([0, 0]);
        decoder.Forward(new Matrix(2, decoder.Config.HiddenSize), ModalityMap.Text(2), rotary, workspace, caches, deepstack: null, afterBlock: null, default);

        Assert.ThrowsAny<OperationCanceledException>(() => cancelling.Forward(new Matrix(2, decoder.Config.HiddenSize), ModalityMap.Text(2), rotary, workspace, caches, deepstack: null, afterBlock: null, cancellation.Token));
        Assert.Equal([1, 1], caches.Select(cache => cache.Length));
    }

    // What a sequence leaves is used by the next: 100 of them need the memory of one.
    [Fact]
    public void An_ended_sequence_leaves_its_cache()
    {
        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        var decoder = TinyDecoder.Read(source, TinyConfigs.VL.Text);
        var prompt = TinyDecoder.Prompt(Golden.Load("vl/video"));
        using IDecoderSession session = new DecoderSession(decoder);
        var first = Start(0);
        Start(1);
        session.End(0);
        Start(2);
        session.End(1); // Buffers have grown, pools are full.

        var before = GC.GetAllocatedBytesForCurrentThread();
        var again = Start(3);
        session.End(0);
        var config = decoder.Config;
        var cacheBytes = 2L * prompt.InputIds.Length * config.Layers * config.KeyValueHeads * config.HeadSize * sizeof(float);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, cacheBytes + (prompt.InputIds.Length * config.HiddenSize * sizeof(float)));
        Assert.Equal(first.Token, again.Token);

        Sequence Start(int number)
        {
            var sequence = new Sequence(number, new GenerationOptions(), []);
            session.Begin(prompt);
            Assert.True(session.Advance(sequence, int.MaxValue, default));
            return sequence;
        }
    }

    [Theory]
    [InlineData("", 0, 1)]
    [InlineData("W4A8", 1, 1)]
    [InlineData("W4A8", 1, 1.05)]
    public void A_step_of_several_allocates_nothing(string scheme, double temperature, double penalty)
    {
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var decoder = Read(source, scheme);
        using IDecoderSession session = new DecoderSession(decoder);
        Sequence[] sequences = [.. Enumerable.Range(0, 3).Select(number => new Sequence(number, new GenerationOptions { Temperature = temperature, TopP = 0.9, RepetitionPenalty = penalty }, []))];
        foreach (var sequence in sequences)
        {
            session.Begin(TinyDecoder.Prompt(Golden.Load("omni/text")));
            Assert.True(session.Advance(sequence, int.MaxValue, default));
        }

        Steps(20); // Buffers grow, pools fill.

        var before = GC.GetAllocatedBytesForCurrentThread();
        Steps(4);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Steps(int count)
        {
            for (var step = 0; step < count; step++)
            {
                session.Step(sequences, default);
            }
        }
    }

    internal static Decoder Read(Checkpoint source, string schemeName)
    {
        var config = ModelConfigReader.Read(source).Text;
        var decoder = TinyDecoder.Read(source, config);
        return QuantizationScheme.TryParse(schemeName, out var scheme)
            ? decoder with { Blocks = [.. decoder.Blocks.Select((block, i) => QuantizedDecoderTests.Compose(block, RandomLayer.Create(i, i, config, scheme), new CpuGemmBackend()))] }
            : decoder;
    }

    private sealed class Cancelling(ILinearGroup inner, CancellationTokenSource cancellation) : ILinearGroup
    {
        public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
        {
            cancellation.Cancel();
            inner.Forward(x, modalities, outputs);
        }
    }
}
