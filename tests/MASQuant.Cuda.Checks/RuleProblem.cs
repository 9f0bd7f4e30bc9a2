using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Checks;

/// <summary>A delta rule over random queries, keys and values, with states that something has left: 4 value heads of 64 values share 2 key heads.</summary>
internal sealed class RuleProblem
{
    private const int Ruling = 16; // a's columns, padded as layers are

    private readonly DeltaRuleStep _step;
    private readonly Matrix _x;
    private readonly float[] _ab;
    private readonly float[] _decay;
    private readonly float[] _offset;
    private readonly float[] _states;

    public RuleProblem(int keySize, int rows, int seed, int sequences = 1)
    {
        var random = new Random(seed);
        _step = new DeltaRuleStep(2, 4, keySize, 64, "", "");
        _x = new Matrix(rows, (4 * keySize) + 256, StateChecks.Values(random, rows * ((4 * keySize) + 256)));
        (_ab, _decay, _offset) = (StateChecks.Values(random, rows * 2 * Ruling, 3), StateChecks.Values(random, 4), StateChecks.Values(random, 4));
        _states = StateChecks.Values(random, sequences * (int)StateKernels.StateValues(_step));
    }

    /// <summary>What the processor makes of rows of a sequence, and the state behind them.</summary>
    public (float[] Rows, float[] State) Expect(int first, int count, int cached, int sequence = 0)
    {
        var (a, b, x) = (new Matrix(count, 4), new Matrix(count, 4), new Matrix(count, _x.Columns));
        for (var row = 0; row < count; row++)
        {
            _ab.AsSpan((first + row) * 2 * Ruling, 4).CopyTo(a.Row(row));
            _ab.AsSpan(((2 * (first + row)) + 1) * Ruling, 4).CopyTo(b.Row(row));
            _x.Row(first + row).CopyTo(x.Row(row));
        }

        var (inputs, state, output) = (new DeltaInputs(), new DeltaState(_step), new Matrix(count, 256));
        var size = (int)StateKernels.StateValues(_step);
        state.Set(cached == 0 ? new float[size] : _states.AsSpan(sequence * size, size), cached);
        inputs.Prepare(_step, new DeltaGates(_decay, _offset), a, b, x);
        state.Begin(inputs, 0, count, keeps: false);
        for (var head = 0; head < 4; head++)
        {
            state.Take(inputs, 0, count, head, 0, output);
            state.Take(inputs, 0, count, head, 1, output);
        }

        state.Advance(count);
        return (output.Data, state.Current);
    }

    /// <summary>What a device makes of all rows, and the states behind them.</summary>
    public (float[] Rows, float[] States) Run(ICudaDevice device, int tokens, int[] cached, bool apart)
    {
        using var operands = new StateChecks.Operands(device, tokens, cached);
        using var x = new DeviceArray<float>(device, _x.Data);
        using var ab = new DeviceArray<float>(device, _ab);
        using var decay = new DeviceArray<float>(device, _decay);
        using var offset = new DeviceArray<float>(device, _offset);
        using var states = new DeviceArray<float>(device, _states);
        using var gates = new DeviceArray<float>(device, _x.Rows * 8);
        using var output = new DeviceArray<float>(device, _x.Rows * 256);
        output.Fill(0xFF); // no numbers
        device.Launch(StateKernels.DeltaInputs(_step, x.Pointer, _x.Columns, ab.Pointer, 2 * Ruling, decay.Pointer, offset.Pointer, gates.Pointer, _x.Rows));
        device.Launch(StateKernels.DeltaRule(_step, x.Pointer, _x.Columns, gates.Pointer, operands.Counts, states.Pointer, apart, output.Pointer, _x.Rows));
        return (output.Read(), states.Read());
    }
}
