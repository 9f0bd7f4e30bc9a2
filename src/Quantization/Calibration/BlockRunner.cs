using MASQuant.Engine.Layers;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Calibration;

/// <summary>Runs whole decoder blocks over the calibration set.</summary>
/// <param name="config">The decoder's extents.</param>
/// <param name="sequences">The calibration set.</param>
public sealed class BlockRunner(TextConfig config, IReadOnlyList<CalibrationSequence> sequences)
{
    private readonly SequenceBatches _batches = new(config, sequences);

    /// <summary>The calibration set.</summary>
    public IReadOnlyList<CalibrationSequence> Sequences => sequences;

    /// <summary>Runs the same decoder's blocks over other sequences.</summary>
    public BlockRunner Of(IReadOnlyList<CalibrationSequence> others) => ReferenceEquals(others, sequences) ? this : new(config, others);

    /// <summary>Begins to take the set through a block, group by group.</summary>
    /// <param name="exact">The block in full precision.</param>
    public BlockWalk Walk(TransformerBlock exact) => new(_batches, sequences, exact);

    /// <summary>Takes the set past a block in full precision: both streams leave it alike.</summary>
    public void Pass(TransformerBlock exact, CancellationToken cancellationToken)
    {
        foreach (var (sequence, output) in sequences.Zip(Outputs(exact, sequence => sequence.Exact, cancellationToken)))
        {
            (sequence.Exact, sequence.Quantized) = (output, output);
        }
    }

    /// <summary>The block's output for the input that <paramref name="input"/> picks, one [T, H] per sequence.</summary>
    public Matrix[] Outputs(TransformerBlock block, Func<CalibrationSequence, Matrix> input, CancellationToken cancellationToken)
    {
        var outputs = new Matrix[sequences.Count];
        _batches.ForEach((i, slot) => outputs[i] = Run(block, sequences[i], input(sequences[i]), slot), (_, _) => { }, cancellationToken);
        return outputs;
    }

    /// <summary>What enters every input group of <paramref name="block"/> on quantized inputs.</summary>
    /// <param name="block">The block.</param>
    /// <param name="visit">Called for every sequence in order, and every group, with X [T, K].</param>
    /// <param name="cancellationToken">Obeyed between batches.</param>
    public void ObserveInputs(TransformerBlock block, Action<CalibrationSequence, InputGroup, Matrix> visit, CancellationToken cancellationToken)
    {
        var groups = block.Description.Groups;
        var inputs = new Matrix[_batches.Slots, groups.Count];
        _batches.ForEach(
            (i, slot) =>
            {
                var observed = block;
                foreach (var (place, group) in groups.Index())
                {
                    observed = observed.With(group, new ObservedLinearGroup(place == groups.Count - 1 ? SkippedLinearGroup.Instance : block[group], (x, _) => inputs[slot, place] = x.Copy()));
                }

                Run(observed, sequences[i], sequences[i].Quantized, slot);
            },
            (i, slot) =>
            {
                foreach (var (place, group) in groups.Index())
                {
                    visit(sequences[i], group, inputs[slot, place]);
                }
            },
            cancellationToken);
    }

    private Matrix Run(TransformerBlock block, CalibrationSequence sequence, Matrix input, int slot)
    {
        var hidden = input.Copy();
        block.Forward(hidden, sequence.Modalities, sequence.Rotary, _batches.Quantized(slot), deepstack: sequence.Deepstack);
        return hidden;
    }
}
