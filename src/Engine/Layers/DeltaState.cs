using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>The states of all value heads of a decoder block: for each head, and each 32 of its values, [d_k, 32].</summary>
internal sealed class DeltaState(DeltaRuleStep step)
{
    private static readonly Matrix Unread = new(0, 0);

    private readonly PassStates _states = new(checked(step.ValueHeads * step.KeySize * step.ValueSize));
    private DeltaInputs? _entered;
    private int _kept;

    public int Length => _states.Length;

    public long Bytes => _states.Bytes + (_entered?.Bytes ?? 0);

    public float[] Current => _states.Read;

    public bool Fits(DeltaRuleStep other) => (other.ValueHeads, other.KeySize, other.ValueSize) == (step.ValueHeads, step.KeySize, step.ValueSize);

    public DeltaState NewLike() => new(step);

    /// <summary>Begins a pass.</summary>
    /// <param name="inputs">Of tokens of one or several sequences.</param>
    /// <param name="first">The first of this sequence.</param>
    /// <param name="count">How many follow.</param>
    /// <param name="keeps">Whether the inputs are kept for <see cref="Truncate"/>.</param>
    public void Begin(DeltaInputs inputs, int first, int count, bool keeps)
    {
        _kept = keeps ? count : 0;
        if (keeps)
        {
            (_entered ??= new DeltaInputs()).CopyFrom(inputs, step, first, count);
        }

        _ = _states.Next;
    }

    /// <summary>Takes a block of a head through the pass that was begun.</summary>
    /// <param name="inputs">Of tokens of one or several sequences.</param>
    /// <param name="first">The first of this sequence.</param>
    /// <param name="count">How many follow.</param>
    /// <param name="head">The value head.</param>
    /// <param name="block">Which 32 of its values.</param>
    /// <param name="output">[T, value heads · d_v], overwritten there; no rows: nobody reads it.</param>
    public void Take(DeltaInputs inputs, int first, int count, int head, int block, Matrix output)
    {
        const int Columns = DeltaRuleStep.ValueBlock;
        Span<float> unread = stackalloc float[Columns];
        var (keyHead, column, size) = (head / (step.ValueHeads / step.KeyHeads), (head * step.ValueSize) + (block * Columns), step.KeySize * Columns);
        var place = (column / Columns) * size;
        ReadOnlySpan<float> before = _states.Read.AsSpan(place, size);
        var after = _states.Next.AsSpan(place, size);
        for (var token = first; token < first + count; token++)
        {
            var row = inputs.QueriesKeysValues.Row(token);
            DeltaHead.Take(
                token == first ? before : after,
                after,
                row.Slice(keyHead * step.KeySize, step.KeySize),
                row.Slice((step.KeyHeads + keyHead) * step.KeySize, step.KeySize),
                row.Slice((2 * step.KeyHeads * step.KeySize) + column, Columns),
                inputs.Decays[(token * step.ValueHeads) + head],
                inputs.Strengths[(token * step.ValueHeads) + head],
                output.Rows == 0 ? unread : output.Row(token).Slice(column, Columns));
        }
    }

    /// <summary>Ends a pass.</summary>
    public void Advance(int count) => _states.Advance(count);

    public void Set(ReadOnlySpan<float> states, int length) => _states.Set(states, length);

    /// <summary>Forgets all tokens from <paramref name="length"/> on: what stays of the last pass is taken again.</summary>
    public void Truncate(int length)
    {
        if (length == 0)
        {
            _states.Clear();
        }
        else if (length < _states.Length)
        {
            var stays = length - _states.LengthBefore;
            if (stays < 0 || (stays > 0 && stays > _kept))
            {
                throw PassBorder.Passed(length);
            }

            _states.TakeBack();
            for (var piece = 0; stays > 0 && piece < step.ValueHeads * (step.ValueSize / DeltaRuleStep.ValueBlock); piece++)
            {
                Take(_entered!, 0, stays, piece / (step.ValueSize / DeltaRuleStep.ValueBlock), piece % (step.ValueSize / DeltaRuleStep.ValueBlock), Unread);
            }

            if (stays > 0)
            {
                _states.Advance(stays);
            }
        }
    }
}
