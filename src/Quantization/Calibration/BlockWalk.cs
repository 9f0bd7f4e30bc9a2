using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Calibration;

/// <summary>Takes the calibration set through one decoder block, input group by input group, in two streams: full precision on full-precision inputs, and quantized on what everything before has become.
/// Both stop ahead of a group and go on when it was replaced, so that the full-precision block runs once. Only what is no wider than <see cref="WidestStop"/> hidden states is kept where a stream stops:
/// a group with wider inputs, such as down_proj, shares the stop of the group ahead of it, and its inputs are computed again when they are asked for.</summary>
public sealed class BlockWalk
{
    private const int WidestStop = 2;
    private readonly SequenceBatches _batches;
    private readonly IReadOnlyList<CalibrationSequence> _sequences;
    private readonly TransformerBlock _exact;
    private readonly int[] _stops;
    private readonly List<float[]>[] _rooms;
    private readonly Matrix[][] _values;
    private readonly Matrix[][] _exactValues;
    private readonly (Matrix Hidden, Matrix[] Values, Matrix[][] Outputs)?[] _exactAhead;
    private TransformerBlock _block;
    private int _stop;

    internal BlockWalk(SequenceBatches batches, IReadOnlyList<CalibrationSequence> sequences, TransformerBlock exact)
    {
        (_batches, _sequences, _exact, _block) = (batches, sequences, exact, exact);
        _values = [.. sequences.Select(_ => Array.Empty<Matrix>())];
        _exactValues = [.. sequences.Select(_ => Array.Empty<Matrix>())];
        _exactAhead = new (Matrix, Matrix[], Matrix[][])?[sequences.Count];
        _rooms = [.. Enumerable.Range(0, batches.Slots).Select(_ => new List<float[]>())];
        _stops = [.. Stops(exact.Description, sequences.Count == 0 ? 0 : sequences[0].Exact.Columns)];
    }

    /// <summary>Sequences that are computed at once, each in its slot.</summary>
    public int Slots => _batches.Slots;

    /// <summary>What enters a group on quantized inputs.</summary>
    /// <param name="group">One that both streams have not passed.</param>
    /// <param name="visit">Called for every sequence in order with X [T, K], which is valid during the call.</param>
    /// <param name="cancellationToken">Obeyed between batches.</param>
    public void Inputs(InputGroup group, Action<CalibrationSequence, Matrix> visit, CancellationToken cancellationToken)
    {
        var inputs = new Matrix[_batches.Slots];
        _batches.ForEach((i, slot) => inputs[slot] = Input(group, i, slot), (i, slot) => visit(_sequences[i], inputs[slot]), cancellationToken);
    }

    /// <summary>What enters a group on quantized inputs, and what leaves it in full precision.</summary>
    /// <param name="group">One that both streams have not passed.</param>
    /// <param name="compute">Called for every sequence, on any thread, with its slot, X [T, K] and Y* (one [T, N_i] per layer, its own to change); both are valid until the sequence was visited.</param>
    /// <param name="visit">Called for every sequence in order.</param>
    /// <param name="cancellationToken">Obeyed between batches.</param>
    public void Outputs(InputGroup group, Action<CalibrationSequence, int, Matrix, Matrix[]> compute, Action<CalibrationSequence, int> visit, CancellationToken cancellationToken)
        => _batches.ForEach((i, slot) =>
        {
            var targets = Targets(group, i, slot);
            compute(_sequences[i], slot, Input(group, i, slot), targets);
        }, (i, slot) => visit(_sequences[i], slot), cancellationToken);

    /// <summary>Replaces a group, and takes both streams past it. After the last group the sequences hold the block's outputs.</summary>
    /// <param name="group">The first that both streams have not passed.</param>
    /// <param name="layers">What it has become.</param>
    /// <param name="cancellationToken">Obeyed between batches.</param>
    public void Pass(InputGroup group, ILinearGroup layers, CancellationToken cancellationToken)
    {
        _block = _block.With(group, layers);
        if (GroupsOf(_stop..NextStop)[^1] != group)
        {
            DropPassed();
            return;
        }

        _batches.ForEach((i, slot) =>
        {
            var sequence = _sequences[i];
            var (exact, exactValues, _) = _exactAhead[i] ?? ExactAhead(i, slot);
            _exactAhead[i] = null;
            var hidden = sequence.Quantized.Copy();
            _values[i] = Matrix.Copy(_block.Forward(_stop..NextStop, hidden, _values[i], sequence.Modalities, sequence.Rotary, _batches.Quantized(slot), sequence.Deepstack));
            _exactValues[i] = exactValues;
            (sequence.Exact, sequence.Quantized) = (exact, hidden);
        }, (_, _) => { }, cancellationToken);
        _stop = NextStop;
    }

    // Behind the first group of a stop the full-precision stream is only asked for what waits ahead.
    private void DropPassed()
    {
        for (var i = 0; i < _sequences.Count; i++)
        {
            _sequences[i].Exact = _exactAhead[i]?.Hidden ?? _sequences[i].Exact;
        }
    }

    private int NextStop => _stops.First(stop => stop > _stop);

    private Matrix Input(InputGroup group, int i, int slot)
    {
        var sequence = _sequences[i];
        return _block.Forward(_stop..StepOf(group), sequence.Quantized.Copy(), _values[i], sequence.Modalities, sequence.Rotary, _batches.Quantized(slot), sequence.Deepstack)[0];
    }

    // Y* of the first group behind the stop is large and handed out at once; those of later ones wait.
    private Matrix[] Targets(InputGroup group, int i, int slot)
    {
        if (GroupsOf(_stop..NextStop).IndexOf(group) is > 0 and var place)
        {
            return Copies((_exactAhead[i] ??= ExactAhead(i, slot)).Outputs[place - 1], slot);
        }

        var sequence = _sequences[i];
        var hidden = sequence.Exact.Copy();
        var step = StepOf(group);
        var values = _exact.Forward(_stop..(step + 1), hidden, _exactValues[i], sequence.Modalities, sequence.Rotary, _batches.Exact(slot), sequence.Deepstack);
        var targets = Copies(values[.._exact.Description.LinearsOf(group).Count], slot);
        _exactAhead[i] ??= ExactAhead(i, slot, step + 1, hidden, values);
        return targets;
    }

    // In memory that a slot keeps: new pages would cost as much as what is written there.
    private Matrix[] Copies(ReadOnlySpan<Matrix> matrices, int slot)
    {
        var (rooms, copies) = (_rooms[slot], new Matrix[matrices.Length]);
        for (var i = 0; i < copies.Length; i++)
        {
            var values = matrices[i].Span;
            if (rooms.Count == i)
            {
                rooms.Add([]);
            }

            rooms[i] = rooms[i].Length < values.Length ? LargeArray.Uninitialized<float>(values.Length) : rooms[i];
            values.CopyTo(rooms[i]);
            copies[i] = new Matrix(matrices[i].Rows, matrices[i].Columns, rooms[i]);
        }

        return copies;
    }

    private (Matrix Hidden, Matrix[] Values, Matrix[][] Outputs) ExactAhead(int i, int slot)
        => ExactAhead(i, slot, _stop, _sequences[i].Exact.Copy(), _exactValues[i]);

    // Takes the full-precision stream to the next stop.
    private (Matrix Hidden, Matrix[] Values, Matrix[][] Outputs) ExactAhead(int i, int slot, int from, Matrix hidden, ReadOnlySpan<Matrix> values)
    {
        var (sequence, outputs) = (_sequences[i], new List<Matrix[]>());
        var block = _exact;
        foreach (var group in GroupsOf(from..NextStop))
        {
            block = block.With(group, new ObservedLinearGroup(_exact[group], (_, y) => outputs.Add(Matrix.Copy(y))));
        }

        var left = Matrix.Copy(block.Forward(from..NextStop, hidden, values, sequence.Modalities, sequence.Rotary, _batches.Exact(slot), sequence.Deepstack));
        return (hidden, left, [.. outputs]);
    }

    private List<InputGroup> GroupsOf(Range steps)
    {
        var (start, count) = steps.GetOffsetAndLength(_exact.Description.Steps.Count);
        return [.. _exact.Description.Steps.Skip(start).Take(count).OfType<ProjectStep>().Select(step => step.Group).OfType<InputGroup>()];
    }

    private int StepOf(InputGroup group) => StepOf(_exact.Description, group);

    private static int StepOf(BlockDescription block, InputGroup group) => block.Steps.Index().First(step => step.Item is ProjectStep project && project.Group == group).Index;

    // The start, ahead of every group with narrow inputs (ahead of the norm that makes them, when there is one), and the end.
    private static IEnumerable<int> Stops(BlockDescription block, int hidden)
        => block.Groups
            .Where(group => block.LinearsOf(group)[0].Inputs <= WidestStop * hidden)
            .Select(group => StepOf(block, group))
            .Select(step => step > 0 && block.Steps[step - 1] is NormalizeStep ? step - 1 : step)
            .Prepend(0).Append(block.Steps.Count).Distinct().Order();
}
