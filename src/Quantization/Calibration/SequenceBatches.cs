using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Configuration;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Calibration;

/// <summary>Works on several sequences of the calibration set at a time, and hands on what came of them in the order of the set, so that their number changes no sum.</summary>
internal sealed class SequenceBatches
{
    // Activations that are held at once.
    private const int Largest = 16;
    private const long Bytes = 1L << 29;
    private readonly IReadOnlyList<CalibrationSequence> _sequences;
    private readonly (DecoderWorkspace Exact, DecoderWorkspace Quantized)[] _slots;

    /// <param name="config">The decoder's extents.</param>
    /// <param name="sequences">The calibration set.</param>
    public SequenceBatches(TextConfig config, IReadOnlyList<CalibrationSequence> sequences)
    {
        _sequences = sequences;
        _slots = [.. Enumerable.Range(0, SlotsOf(config, sequences.Count == 0 ? 1 : sequences.Max(sequence => sequence.Modalities.Count))).Select(_ => (new DecoderWorkspace(config), new DecoderWorkspace(config)))];
    }

    /// <summary>Sequences that are under way at once.</summary>
    public int Slots => _slots.Length;

    /// <summary>Computes every sequence, several at a time, and visits it.</summary>
    /// <param name="compute">Receives a sequence's place in the set and the slot whose memory it may use until it was visited; runs on any thread.</param>
    /// <param name="visit">Receives the same, in the order of the set, on the calling thread.</param>
    /// <param name="cancellationToken">Obeyed between batches.</param>
    public void ForEach(Action<int, int> compute, Action<int, int> visit, CancellationToken cancellationToken)
    {
        for (var start = 0; start < _sequences.Count; start += Slots)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LargeBuffers.Reclaim();
            var first = start;
            var count = Math.Min(Slots, _sequences.Count - start);
            Workers.For(count, slot => compute(first + slot, slot));
            for (var slot = 0; slot < count; slot++)
            {
                visit(first + slot, slot);
            }
        }
    }

    /// <summary>The memory of a slot for the stream in full precision.</summary>
    public DecoderWorkspace Exact(int slot) => _slots[slot].Exact;

    /// <summary>The memory of a slot for the quantized stream.</summary>
    public DecoderWorkspace Quantized(int slot) => _slots[slot].Quantized;

    /// <summary>The most bytes that a calibration set's activations under way take.</summary>
    /// <param name="config">The decoder's extents.</param>
    /// <param name="sequences">How many there are.</param>
    /// <param name="longest">Tokens of the longest.</param>
    public static long BytesOf(TextConfig config, int sequences, long longest) => Math.Min(sequences, SlotsOf(config, longest)) * BytesOfSlot(config, longest);

    private static int SlotsOf(TextConfig config, long longest)
        => (int)Math.Clamp(Bytes / BytesOfSlot(config, longest), Math.Min(Largest, Workers.Count), Largest);

    // Both streams' gate and up, the targets' copies, what is prepared of the widest input, and the rest in hidden states, or what all query heads are.
    private static long BytesOfSlot(TextConfig config, long longest) => Math.Max(1, longest) * ((8L * config.IntermediateSize) + (16L * Math.Max(config.HiddenSize, config.AttentionHeads * config.HeadSize))) * sizeof(float);
}
