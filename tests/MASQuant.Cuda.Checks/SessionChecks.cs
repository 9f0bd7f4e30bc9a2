using MASQuant.Cuda.Device;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;

namespace MASQuant.Cuda.Checks;

/// <summary>A small decoder that continues several sequences at once: the logits of each are those of the sequence alone, bit for bit, in every format.</summary>
internal static class SessionChecks
{
    private const int Rows = 9; // more than eight take another kernel than one
    private const int Steps = 2;

    // One more than there are rows; lengths from a single token to more than a decode tile.
    private static readonly int[] Lengths = [11, 1, 40, 5, 20, 2, 16, 17, 3, 9];

    public static IReadOnlyList<DeviceCheck> All { get; } = [.. RandomWeights.Formats.Select(format => new DeviceCheck($"session: {format.Name}, {Rows} rows", device => Check(device, format.Scheme)))];

    private static void Check(ICudaDevice device, QuantizationScheme? scheme)
    {
        var model = new SmallDecoder(scheme, seed: 1);
        var listening = new ListeningDevice(device, model.OnProcessor().Config.VocabularySize);
        using var decoder = model.On(listening);
        PreparedPrompt[] prompts = [.. Lengths.Select(model.Prompt)];

        using var batch = new Run(decoder, listening, Rows);
        for (var prompt = 0; prompt < Rows; prompt++)
        {
            batch.Start(prompt, prompts[prompt]);
        }

        batch.Step();
        batch.End(row: 3);
        batch.Start(Rows, prompts[Rows]);
        batch.Step();
        foreach (var (prompt, logits) in batch.Logits)
        {
            using var alone = new Run(decoder, listening, sequences: 1);
            alone.Start(prompt, prompts[prompt]);
            for (var step = 0; step < Steps; step++)
            {
                alone.Step();
            }

            for (var i = 0; i < logits.Count; i++)
            {
                Require.That(logits[i].Distinct().Count() > logits[i].Length / 2, $"token {i} of prompt {prompt} has {logits[i].Distinct().Count()} different logits");
                Require.EqualEach(alone.Logits[prompt][i], logits[i], $"the logits of token {i} of prompt {prompt}");
            }
        }
    }

    /// <summary>Sequences in progress, and all logits that their tokens were drawn from.</summary>
    private sealed class Run(DeviceDecoder decoder, ListeningDevice device, int sequences) : IDisposable
    {
        private readonly DeviceSession _session = new(decoder, 512, sequences);
        private readonly List<Sequence> _rows = [];

        /// <summary>By prompt.</summary>
        public Dictionary<int, List<float[]>> Logits { get; } = [];

        public void Start(int prompt, PreparedPrompt prepared)
        {
            var sequence = new Sequence(prompt, new GenerationOptions { Temperature = 2, Seed = (ulong)prompt }, []);
            device.Logits.Clear();
            _session.Begin(prepared);
            while (!_session.Advance(sequence, int.MaxValue, default))
            {
            }

            _rows.Add(sequence);
            Logits.Add(prompt, [device.Logits[0]]);
        }

        public void Step()
        {
            device.Logits.Clear();
            _session.Step(_rows, default);
            for (var row = 0; row < _rows.Count; row++)
            {
                _rows[row].ThrowIfFailed();
                Logits[_rows[row].Prompt].Add(device.Logits[row]);
            }
        }

        public void End(int row)
        {
            _session.End(row);
            _rows[row] = _rows[^1];
            _rows.RemoveAt(_rows.Count - 1);
        }

        public void Dispose() => _session.Dispose();
    }
}
