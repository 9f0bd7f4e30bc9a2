using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Calibration;

/// <summary>Runs a decoder block over the calibration set, several sequences at a time, and hands on what was seen in the order of the set.</summary>
/// <param name="config">The decoder's extents.</param>
/// <param name="sequences">The calibration set.</param>
public sealed class BlockRunner(TextConfig config, IReadOnlyList<CalibrationSequence> sequences)
{
    // Sequences whose activations are held at once. They are visited in the order of the set, so their number changes no sum.
    private readonly DecoderWorkspace[] _workspaces = [.. Enumerable.Range(0, BatchSizeOf(config, sequences)).Select(_ => new DecoderWorkspace(config))];

    /// <summary>The calibration set.</summary>
    public IReadOnlyList<CalibrationSequence> Sequences => sequences;

    /// <summary>The block's output for the input that <paramref name="input"/> picks, one [T, H] per sequence.</summary>
    public Matrix[] Outputs(TransformerBlock block, Func<CalibrationSequence, Matrix> input, CancellationToken cancellationToken)
    {
        var outputs = new Matrix[sequences.Count];
        InBatches(i => outputs[i] = Run(block, sequences[i], input(sequences[i]), i % _workspaces.Length), _ => { }, cancellationToken);
        return outputs;
    }

    /// <summary>What enters one input group of <paramref name="block"/> on quantized inputs, and what leaves the same group of <paramref name="exact"/> on full-precision inputs.</summary>
    /// <param name="block">The block under way.</param>
    /// <param name="exact">The full-precision block, or null when its outputs are not wanted.</param>
    /// <param name="group">The group.</param>
    /// <param name="visit">Called for every sequence in order with X [T, K] and Y* (one [T, N_i] per layer, or none).</param>
    /// <param name="cancellationToken">Obeyed between batches.</param>
    public void Observe(TransformerBlock block, TransformerBlock? exact, InputGroup group, Action<CalibrationSequence, Matrix, Matrix[]> visit, CancellationToken cancellationToken)
    {
        var inputs = new Matrix[_workspaces.Length];
        var targets = new Matrix[_workspaces.Length][];
        InBatches(
            i =>
            {
                var slot = i % _workspaces.Length;
                var observed = Until(block, group, new ObservedLinearGroup(SkippedLinearGroup.Instance, (x, _) => inputs[slot] = x.Copy()));
                Run(observed, sequences[i], sequences[i].Quantized, slot);
                targets[slot] = [];
                if (exact is not null)
                {
                    var goal = Until(exact, group, new ObservedLinearGroup(exact[group], (_, outputs) => targets[slot] = Matrix.Copy(outputs)));
                    Run(goal, sequences[i], sequences[i].Exact, slot);
                }
            },
            i => visit(sequences[i], inputs[i % _workspaces.Length], targets[i % _workspaces.Length]),
            cancellationToken);
    }

    /// <summary>What enters every input group of <paramref name="block"/> on quantized inputs.</summary>
    /// <param name="block">The block.</param>
    /// <param name="visit">Called for every sequence in order, and every group, with X [T, K].</param>
    /// <param name="cancellationToken">Obeyed between batches.</param>
    public void ObserveInputs(TransformerBlock block, Action<CalibrationSequence, InputGroup, Matrix> visit, CancellationToken cancellationToken)
    {
        var groups = block.Description.Groups;
        var inputs = new Matrix[_workspaces.Length, groups.Count];
        InBatches(
            i =>
            {
                var slot = i % _workspaces.Length;
                var observed = block;
                foreach (var (place, group) in groups.Index())
                {
                    observed = observed.With(group, new ObservedLinearGroup(place == groups.Count - 1 ? SkippedLinearGroup.Instance : block[group], (x, _) => inputs[slot, place] = x.Copy()));
                }

                Run(observed, sequences[i], sequences[i].Quantized, slot);
            },
            i =>
            {
                foreach (var (place, group) in groups.Index())
                {
                    visit(sequences[i], group, inputs[i % _workspaces.Length, place]);
                }
            },
            cancellationToken);
    }

    // What lies behind the observed group is not computed.
    private static TransformerBlock Until(TransformerBlock block, InputGroup group, ILinearGroup observed)
    {
        var shortened = block.With(group, observed);
        foreach (var later in block.Description.Groups.SkipWhile(earlier => earlier != group).Skip(1))
        {
            shortened = shortened.With(later, SkippedLinearGroup.Instance);
        }

        return shortened;
    }

    private static int BatchSizeOf(TextConfig config, IReadOnlyList<CalibrationSequence> sequences)
    {
        const int Largest = 16;
        const long Bytes = 1L << 29;
        var tokens = sequences.Count == 0 ? 1 : sequences.Max(sequence => sequence.Modalities.Count);
        var perSequence = (long)tokens * ((3L * config.IntermediateSize) + (8L * config.HiddenSize)) * sizeof(float);
        return (int)Math.Clamp(Bytes / Math.Max(1, perSequence), Math.Min(Largest, Workers.Count), Largest);
    }

    private Matrix Run(TransformerBlock block, CalibrationSequence sequence, Matrix input, int slot)
    {
        var hidden = input.Copy();
        block.Forward(hidden, sequence.Modalities, sequence.Rotary, _workspaces[slot]);
        return hidden;
    }

    private void InBatches(Action<int> compute, Action<int> visit, CancellationToken cancellationToken)
    {
        for (var start = 0; start < sequences.Count; start += _workspaces.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LargeBuffers.Reclaim();
            var first = start;
            var count = Math.Min(_workspaces.Length, sequences.Count - start);
            Workers.For(count, i => compute(first + i));
            for (var i = start; i < start + count; i++)
            {
                visit(i);
            }
        }
    }
}
