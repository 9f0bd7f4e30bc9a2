using MASQuant.Diagnostics;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Generation;

public sealed class DecoderSessionTests : IDisposable
{
    private static readonly int[] Answer = [5, 900, 17, 17, 1200, 3];
    private readonly SafetensorsFile _file = TinyDecoder.OpenVL();
    private readonly Decoder _decoder;
    private readonly PreparedPrompt _prompt = TinyDecoder.Prompt(Golden.Load("vl/video"));

    public DecoderSessionTests() => _decoder = TinyDecoder.Read(_file, TinyConfigs.VL.Text);

    // Every sum has one defined order and masked keys add exact zeros, so the comparison is of bits.
    [Fact]
    public void Decoding_with_the_cache_equals_evaluating_everything_again()
    {
        var session = new DecoderSession(_decoder);
        var steps = new List<float[]> { session.Prefill(_prompt).ToArray() };
        steps.AddRange(Answer.Select(id => session.Step(id).ToArray()));

        var whole = WithAnswer();
        var logits = new DecoderSession(_decoder).Logits(whole, (_prompt.InputIds.Length - 1)..);

        Assert.Equal(whole.InputIds.Length, session.Length);
        for (var i = 0; i < steps.Count; i++)
        {
            Assert.Equal(logits.Row(i).ToArray(), steps[i]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    public void Prefill_in_chunks_equals_prefill_at_once(int chunk)
        => Assert.Equal(new DecoderSession(_decoder).Logits(_prompt, ..).Span.ToArray(), new DecoderSession(_decoder, chunk).Logits(_prompt, ..).Span.ToArray());

    [Fact]
    public void A_session_starts_afresh_with_each_prompt()
    {
        var session = new DecoderSession(_decoder);
        var first = session.Prefill(_prompt).ToArray();
        session.Step(5);

        Assert.Equal(first, session.Prefill(_prompt).ToArray());
        Assert.Equal(_prompt.InputIds.Length, session.Length);
    }

    [Fact]
    public async Task Threads_share_a_decoder()
    {
        var expected = Decode();
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(Decode)));

        Assert.All(answers, answer => Assert.Equal(expected, answer));

        float[] Decode()
        {
            var session = new DecoderSession(_decoder);
            session.Prefill(_prompt);
            return [.. Answer.SelectMany(id => session.Step(id).ToArray())];
        }
    }

    [Fact]
    public void A_cancelled_step_leaves_the_sequence_as_it_was()
    {
        using var cancellation = new CancellationTokenSource();
        var cancelling = _decoder with { Blocks = [_decoder.Blocks[0], _decoder.Blocks[1].With(InputGroup.Down, new Cancelling(_decoder.Blocks[1][InputGroup.Down], cancellation)), _decoder.Blocks[2]] };
        var session = new DecoderSession(cancelling);
        session.Prefill(_prompt);

        Assert.ThrowsAny<OperationCanceledException>(() => session.Step(5, cancellation.Token));
        var afterwards = session.Step(5).ToArray();

        var undisturbed = new DecoderSession(_decoder);
        undisturbed.Prefill(_prompt);
        Assert.Equal(undisturbed.Step(5).ToArray(), afterwards);
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

    [Fact]
    public void More_tokens_than_positions_are_refused()
    {
        var length = _prompt.InputIds.Length;
        var small = _decoder with { Description = Qwen25Decoder.Describe(_decoder.Config with { MaxPositions = length + 1 }) };
        var session = new DecoderSession(small);
        session.Prefill(_prompt);
        session.Step(5);

        var error = Assert.Throws<MASQuantException>(() => { session.Step(5); });
        Assert.Equal(DiagnosticCodes.SequenceTooLong, error.Code);
        Assert.Contains((length + 1).ToString(), error.Message, StringComparison.Ordinal);

        var smaller = new DecoderSession(_decoder with { Description = Qwen25Decoder.Describe(_decoder.Config with { MaxPositions = length - 1 }) });
        Assert.Equal(DiagnosticCodes.SequenceTooLong, Assert.Throws<MASQuantException>(() => { smaller.Prefill(_prompt); }).Code);
    }

    public void Dispose() => _file.Dispose();

    private PreparedPrompt WithAnswer()
    {
        var config = TinyConfigs.VL;
        int[] ids = [.. _prompt.InputIds, .. Answer];
        var embeddings = new Matrix(ids.Length, config.Text.HiddenSize);
        var answer = new Matrix(Answer.Length, config.Text.HiddenSize);
        _decoder.Embedding.Lookup(Answer, answer);
        _prompt.InputEmbeddings.Span.CopyTo(embeddings.Span);
        answer.Span.CopyTo(embeddings.Span[_prompt.InputEmbeddings.Span.Length..]);
        return _prompt with
        {
            InputIds = ids,
            PositionIds = PositionIds.Of(ids, GoldenMedia.Extents(Golden.Load("vl/video"), config), config),
            InputEmbeddings = embeddings,
            Modalities = PlaceholderTokens.Map(ids, config),
        };
    }

    /// <summary>Cancels in the middle of the first one-token run.</summary>
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
