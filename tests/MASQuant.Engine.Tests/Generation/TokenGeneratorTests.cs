using MASQuant.Diagnostics;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>The loop over a session that counts: prompt n is answered n · 100, n · 100 + 1, ….</summary>
public sealed class TokenGeneratorTests
{
    private readonly CountingSession _session = new();

    [Fact]
    public void Rows_that_end_make_room_at_once()
    {
        // Answers of 1, 3, 2, 1, 1, 4 tokens, two at a time: the first of 0, 1, 2; a step of 1 and 2; 2 has ended, 3 and 4 end with their first tokens, 5 stays.
        int[] lengths = [1, 3, 2, 1, 1, 4];
        var tokens = Run(lengths.Length, new GenerationOptions(), [.. lengths.Select((length, prompt) => (prompt * 100) + length - 1)]).Select(sequence => (sequence.Prompt, sequence.Token)).ToArray();

        Assert.Equal(
            [(0, 0), (1, 100), (2, 200), (1, 101), (2, 201), (3, 300), (4, 400), (5, 500), (1, 102), (5, 501), (5, 502), (5, 503)],
            tokens);
        Assert.Equal([2, 2, 1, 1], _session.Steps);
        Assert.True(_session.Disposed);
    }

    [Fact]
    public void Answers_end_at_their_limit()
        => Assert.Equal([0, 0, 1, 1, 2, 2], Run(3, new GenerationOptions { MaxTokens = 2 }, []).Select(sequence => sequence.Prompt).Order());

    [Fact]
    public void What_a_prompt_fails_with_is_its_own()
    {
        _session.FailsAtStart = 1;
        var sequences = Run(3, new GenerationOptions { MaxTokens = 2 }, []).Select(sequence => (sequence.Prompt, sequence.Error?.Code)).ToArray();

        Assert.Equal([(1, DiagnosticCodes.LogitsNotFinite)], sequences.Where(sequence => sequence.Prompt == 1));
        Assert.Equal(4, sequences.Count(sequence => sequence.Code is null));
    }

    [Fact]
    public void Rows_without_room_make_room_for_prompts_that_wait()
    {
        _session.Room = 2;
        var sequences = Run(3, new GenerationOptions(), []).Select(sequence => (sequence.Prompt, sequence.Token, sequence.End)).ToArray();

        Assert.Equal([(0, 0, null), (1, 100, null), (0, 1, EndReason.Length), (1, 101, EndReason.Length), (2, 200, null), (2, 201, EndReason.Length)], sequences);
        Assert.Equal([2, 1], _session.Steps);
    }

    [Fact]
    public void Who_enumerates_ends_answers()
    {
        var tokens = new List<int>();
        foreach (var sequence in Run(3, new GenerationOptions { MaxTokens = 4 }, []))
        {
            tokens.Add(sequence.Token);
            if (sequence.Token is 1 or 200)
            {
                sequence.Stop();
            }
        }

        // Prompt 2 takes the place of prompt 0 and ends with its first token.
        Assert.Equal([0, 100, 1, 101, 200, 102, 103], tokens);
    }

    [Fact]
    public void A_device_that_fails_ends_the_batch()
    {
        _session.Code = DiagnosticCodes.DeviceMemoryExhausted;
        _session.FailsAtStart = 1;

        Assert.Equal(DiagnosticCodes.DeviceMemoryExhausted, Assert.Throws<MASQuantException>(() => Run(3, new GenerationOptions(), []).Count()).Code);
        Assert.True(_session.Disposed);
    }

    [Fact]
    public void Leaving_in_the_middle_disposes_the_session()
    {
        foreach (var sequence in Run(3, new GenerationOptions(), []))
        {
            if (sequence.Token == 101)
            {
                break;
            }

            Assert.False(_session.Disposed);
        }

        Assert.True(_session.Disposed);
    }

    private IEnumerable<Sequence> Run(int prompts, GenerationOptions options, int[] stopTokens)
        => TokenGenerator.Generate(_session, 2, Enumerable.Range(0, prompts).Select(_ => (Func<PreparedPrompt>)(() => Prompt)), options, stopTokens, null, default);

    private static PreparedPrompt Prompt { get; } = new() { InputIds = [7], PositionIds = null!, InputEmbeddings = new Matrix(1, 1), Modalities = ModalityMap.Text(1), AnswerRange = 1..1 };

    private sealed class CountingSession : IDecoderSession
    {
        private readonly List<int> _rows = [];

        public string Code { get; set; } = DiagnosticCodes.LogitsNotFinite;

        public int FailsAtStart { get; set; } = -1;

        /// <summary>Tokens that a sequence may have.</summary>
        public int Room { get; set; } = 100;

        public List<int> Steps { get; } = [];

        public bool Disposed { get; private set; }

        public void Begin(PreparedPrompt prompt, IKeptTokens? kept = null)
        {
        }

        public bool Advance(Sequence sequence, int most, CancellationToken cancellationToken)
        {
            if (sequence.Prompt == FailsAtStart)
            {
                throw new MASQuantException(Code, null, "");
            }

            _rows.Add(sequence.Prompt * 100);
            sequence.Add(_rows[^1]);
            return true;
        }

        public bool HasRoom(int row) => (_rows[row] % 100) + 1 < Room;

        public void Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellationToken)
        {
            Assert.Equal(_rows, sequences.Select(sequence => sequence.Token));
            Steps.Add(_rows.Count);
            for (var row = 0; row < _rows.Count; row++)
            {
                sequences[row].Add(++_rows[row]);
            }
        }

        public void End(int row)
        {
            _rows[row] = _rows[^1];
            _rows.RemoveAt(_rows.Count - 1);
        }

        public IKeptTokens? Keep(int row) => throw new NotSupportedException();

        public Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public void Dispose() => Disposed = true;
    }
}
