namespace MASQuant.Quantization.Calibration;

/// <summary>Collects rows of some modalities until there are enough of one.</summary>
/// <param name="capacity">How many are enough.</param>
/// <param name="columns">K.</param>
/// <param name="wanted">The modalities; rows of others are dropped.</param>
internal sealed class RowsByModality(int capacity, int columns, Func<Modality, bool> wanted)
{
    private readonly Matrix?[] _rows = [.. Enum.GetValues<Modality>().Select(modality => wanted(modality) ? new Matrix(capacity, columns) : null)];
    private readonly int[] _counts = new int[ModalityMap.ModalityCount];

    /// <summary>Adds a row.</summary>
    public void Add(Modality modality, ReadOnlySpan<float> row)
    {
        if (_rows[(int)modality] is { } rows)
        {
            row.CopyTo(rows.Row(_counts[(int)modality]++));
        }
    }

    /// <summary>Whether there is room for no more of a modality.</summary>
    public bool IsFull(Modality modality) => _counts[(int)modality] == capacity;

    /// <summary>The rows of a modality, [t, K], valid until the next is added; there are none afterwards.</summary>
    public Matrix Take(Modality modality)
    {
        var taken = _rows[(int)modality] is { } rows ? rows.Top(_counts[(int)modality]) : new Matrix(0, columns);
        _counts[(int)modality] = 0;
        return taken;
    }
}
