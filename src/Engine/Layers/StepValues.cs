namespace MASQuant.Engine.Layers;

/// <summary>The values that steps of a block hand on, in buffers that are used again: a buffer is free when its value has been taken. For one thread at a time.</summary>
internal sealed class StepValues
{
    private const int MostValues = 16;
    private readonly List<RowBuffer> _buffers = [];
    private Matrix[] _values = new Matrix[MostValues];
    private Matrix[] _next = new Matrix[MostValues];
    private int _count;
    private int _results;

    /// <summary>Of the step at hand, for a group that takes rows one by one.</summary>
    public NormedRows Normed { get; } = new();

    /// <inheritdoc cref="Normed"/>
    public GatedRows Gated { get; } = new();

    /// <summary>What the steps before have left, first what was computed last.</summary>
    public ReadOnlySpan<Matrix> Current => _values.AsSpan(0, _count);

    /// <summary>What <see cref="New"/> has given in this step.</summary>
    public ReadOnlySpan<Matrix> Results => _next.AsSpan(0, _results);

    /// <summary>Goes on with values that an earlier pass has left; they are not buffers to be used again.</summary>
    public void Resume(ReadOnlySpan<Matrix> values)
    {
        values.CopyTo(_values);
        (_count, _results) = (values.Length, 0);
    }

    /// <summary>Room for a result [T, K] of this step.</summary>
    public Matrix New(int rows, int columns)
    {
        var result = Free(columns).Rows(rows);
        _next[_results++] = result;
        return result;
    }

    /// <summary>Ends a step that has taken the first values: its results stand in their place.</summary>
    public void Advance(int taken)
    {
        Current[taken..].CopyTo(_next.AsSpan(_results));
        (_count, _results) = (_count - taken + _results, 0);
        (_values, _next) = (_next, _values);
    }

    /// <summary>Takes away the second value, which the first has absorbed.</summary>
    public void DropSecond()
    {
        _values.AsSpan(2, _count - 2).CopyTo(_values.AsSpan(1));
        _count--;
    }

    /// <summary>Puts the second value behind the two that follow it.</summary>
    public void PutSecondLast()
    {
        (_values[1], _values[2], _values[3]) = (_values[2], _values[3], _values[1]);
    }

    /// <summary>Makes one row of every few of the first value, where they lie.</summary>
    public void JoinRows(int rows) => _values[0] = new Matrix(_values[0].Rows / rows, checked(_values[0].Columns * rows), _values[0].Data);

    private RowBuffer Free(int columns)
    {
        foreach (var buffer in _buffers)
        {
            if (buffer.Columns == columns && !IsHeld(buffer, Current) && !IsHeld(buffer, Results))
            {
                return buffer;
            }
        }

        _buffers.Add(new RowBuffer(columns));
        return _buffers[^1];
    }

    private static bool IsHeld(RowBuffer buffer, ReadOnlySpan<Matrix> values)
    {
        foreach (var value in values)
        {
            if (buffer.Holds(value))
            {
                return true;
            }
        }

        return false;
    }
}
