using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>Computes the steps that carry something from token to token in place of keys and values, of one sequence or one token of each of several. For one thread at a time.</summary>
internal sealed class Recurrence : IWork
{
    private readonly DeltaInputs _inputs = new();
    private LayerMemory[] _memories = [];
    private DeltaState[] _states = [];
    private int _sequences;
    private int _blocks;
    private int _heads;
    private Matrix _output = new(0, 0);

    /// <summary>Says what the next block reads.</summary>
    /// <param name="memories">What is left of the tokens before: of one sequence, or of T, each of which has one of the tokens.</param>
    public void Begin(ReadOnlySpan<LayerMemory> memories)
    {
        if (_memories.Length < memories.Length)
        {
            (_memories, _states) = (new LayerMemory[memories.Length], new DeltaState[memories.Length]);
        }

        memories.CopyTo(_memories);
        _sequences = memories.Length;
    }

    /// <summary>Convolves and activates [T, C] in place.</summary>
    public void Convolve(ConvolveStep step, CausalConvolution weights, Matrix x)
    {
        var count = x.Rows / _sequences;
        for (var sequence = 0; sequence < _sequences; sequence++)
        {
            _memories[sequence].Window(step).Convolve(weights, x, sequence * count, count, _memories[sequence].KeepsPasses);
        }
    }

    /// <summary>The gated delta rule.</summary>
    /// <param name="step">Heads and their widths.</param>
    /// <param name="gates">Decay and strength.</param>
    /// <param name="a">[T, value heads].</param>
    /// <param name="b">[T, value heads].</param>
    /// <param name="x">Queries, keys and values, [T, …], changed in place.</param>
    /// <param name="output">[T, value heads · d_v], overwritten.</param>
    public void ApplyDeltaRule(DeltaRuleStep step, DeltaGates gates, Matrix a, Matrix b, Matrix x, Matrix output)
    {
        _inputs.Prepare(step, gates, a, b, x);
        var count = x.Rows / _sequences;
        for (var sequence = 0; sequence < _sequences; sequence++)
        {
            _states[sequence] = _memories[sequence].State(step);
            _states[sequence].Begin(_inputs, sequence * count, count, _memories[sequence].KeepsPasses);
        }

        (_output, _heads, _blocks) = (output, step.ValueHeads, step.ValueSize / DeltaRuleStep.ValueBlock);
        Workers.For(_sequences * _heads * _blocks, this);
        for (var sequence = 0; sequence < _sequences; sequence++)
        {
            _states[sequence].Advance(count);
        }
    }

    /// <summary>One block of one head of one sequence.</summary>
    void IWork.Run(int piece)
    {
        var (sequence, place, count) = (piece / (_heads * _blocks), piece % (_heads * _blocks), _output.Rows / _sequences);
        _states[sequence].Take(_inputs, sequence * count, count, place / _blocks, place % _blocks, _output);
    }
}
