using MASQuant.Configuration;
using MASQuant.Layers;
using MASQuant.Tensors;

namespace MASQuant.Calibration;

/// <summary>Runs a decoder block over the calibration set, several sequences at a time, and hands on what was seen in the order of the set.</summary>
/// <param name="config">The decoder's extents.</param>
/// <param name="sequences">The calibration set.</param>
internal sealed class BlockRunner(TextConfig config, IReadOnlyList<CalibrationSequence> sequences)
{
    // Sequences whose activations are held at once; fixed, so that sums do not depend on the machine.
    private const int BatchSize = 16;
    private readonly DecoderWorkspace[] _workspaces = [.. Enumerable.Range(0, BatchSize).Select(_ => new DecoderWorkspace(config))];

    /// <summary>The block by which what enters a group is rotated before it is handed on; 0 for none.</summary>
    public Func<InputGroup, int> RotationBlock { get; init; } = _ => 0;

    /// <summary>The calibration set.</summary>
    public IReadOnlyList<CalibrationSequence> Sequences => sequences;

    /// <summary>The block's output for the input that <paramref name="input"/> picks, one [T, H] per sequence.</summary>
    public Matrix[] Outputs(DecoderBlock block, Func<CalibrationSequence, Matrix> input, CancellationToken cancellation)
    {
        var outputs = new Matrix[sequences.Count];
        InBatches(i => outputs[i] = Run(block, sequences[i], input(sequences[i]), i % BatchSize), _ => { }, cancellation);
        return outputs;
    }

    /// <summary>What enters one input group of <paramref name="block"/> on quantized inputs, and what leaves the same group of <paramref name="exact"/> on full-precision inputs.</summary>
    /// <param name="block">The block under way.</param>
    /// <param name="exact">The full-precision block, or null when its outputs are not wanted.</param>
    /// <param name="group">The group.</param>
    /// <param name="visit">Called for every sequence in order with X [T, K] and Y* (one [T, N_i] per layer, or none).</param>
    /// <param name="cancellation">Obeyed between batches.</param>
    public void Observe(DecoderBlock block, DecoderBlock? exact, InputGroup group, Action<CalibrationSequence, Matrix, Matrix[]> visit, CancellationToken cancellation)
    {
        var inputs = new Matrix[BatchSize];
        var targets = new Matrix[BatchSize][];
        InBatches(
            i =>
            {
                var slot = i % BatchSize;
                var observed = block.With(group, new ObservedLinearGroup(block[group], (x, _) => inputs[slot] = Copy(x)));
                var rotation = RotationBlock(group);
                Run(observed, sequences[i], sequences[i].Quantized, slot);
                if (rotation > 0)
                {
                    BlockHadamard.Apply(inputs[slot], rotation);
                }

                targets[slot] = [];
                if (exact is not null)
                {
                    var goal = exact.With(group, new ObservedLinearGroup(exact[group], (_, outputs) => targets[slot] = Copy(outputs)));
                    Run(goal, sequences[i], sequences[i].Exact, slot);
                }
            },
            i => visit(sequences[i], inputs[i % BatchSize], targets[i % BatchSize]),
            cancellation);
    }

    private Matrix Run(DecoderBlock block, CalibrationSequence sequence, Matrix input, int slot)
    {
        var hidden = Copy(input);
        block.Forward(hidden, sequence.Modalities, sequence.Rotary, _workspaces[slot]);
        return hidden;
    }

    private void InBatches(Action<int> compute, Action<int> visit, CancellationToken cancellation)
    {
        for (var start = 0; start < sequences.Count; start += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            var first = start;
            var count = Math.Min(BatchSize, sequences.Count - start);
            Workers.For(count, i => compute(first + i));
            for (var i = start; i < start + count; i++)
            {
                visit(i);
            }
        }
    }

    private static Matrix Copy(Matrix matrix) => new(matrix.Rows, matrix.Columns, matrix.Span.ToArray());

    private static Matrix[] Copy(ReadOnlySpan<Matrix> matrices)
    {
        var copies = new Matrix[matrices.Length];
        for (var i = 0; i < copies.Length; i++)
        {
            copies[i] = Copy(matrices[i]);
        }

        return copies;
    }
}
