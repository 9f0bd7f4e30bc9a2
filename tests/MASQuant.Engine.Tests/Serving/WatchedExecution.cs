using MASQuant.Engine.Audio;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Preprocessing;

namespace MASQuant.Engine.Tests.Serving;

/// <summary>The processor's execution, of which is written down what it is asked.</summary>
internal sealed class WatchedExecution(CpuExecution inner) : IModelExecution
{
    private readonly WatchedTower _vision = new(inner.Vision);

    /// <summary>Pictures and videos that the tower has seen.</summary>
    public int Seen => _vision.Count;

    /// <summary>Steps, as their rows ("2"), and parts of prompts, as "p".</summary>
    public List<string> Calls { get; } = [];

    /// <summary>Runs before each step.</summary>
    public Action<int>? BeforeStep { get; set; }

    /// <summary>Runs before each part of a prompt.</summary>
    public Action? BeforePart { get; set; }

    public string DeviceName => inner.DeviceName;

    public int MaxSequences => inner.MaxSequences;

    public IVisionTower Vision => _vision;

    public IAudioTower? Audio => inner.Audio;

    public Decoder Decoder => inner.Decoder;

    public IDecoderSession NewSession(int sequences) => new WatchedSession(inner.NewSession(sequences), this);

    public void Dispose() => inner.Dispose();

    private sealed class WatchedTower(IVisionTower inner) : IVisionTower
    {
        public int Count { get; private set; }

        public VisionTokens Forward(ImagePatches patches, CancellationToken cancellationToken = default)
        {
            Count++;
            return inner.Forward(patches, cancellationToken);
        }
    }

    private sealed class WatchedSession(IDecoderSession inner, WatchedExecution watch) : IDecoderSession
    {
        public void Begin(PreparedPrompt prompt, IKeptTokens? kept = null) => inner.Begin(prompt, kept);

        public bool Advance(Sequence sequence, int most, CancellationToken cancellationToken)
        {
            watch.BeforePart?.Invoke();
            watch.Calls.Add("p");
            return inner.Advance(sequence, most, cancellationToken);
        }

        public bool HasRoom(int row) => inner.HasRoom(row);

        public void Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellationToken)
        {
            watch.BeforeStep?.Invoke(sequences.Count);
            watch.Calls.Add($"{sequences.Count}");
            inner.Step(sequences, cancellationToken);
        }

        public void End(int row) => inner.End(row);

        public IKeptTokens? Keep(int row) => inner.Keep(row);

        public Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellationToken = default) => inner.Logits(prompt, rows, cancellationToken);

        public void Dispose() => inner.Dispose();
    }
}
