namespace MASQuant;

/// <summary>A dense FP32 matrix, row-major: one row per token (or output), one column per feature.</summary>
public sealed class Matrix
{
    /// <summary>Creates a zero matrix.</summary>
    /// <exception cref="OverflowException">The element count does not fit an array.</exception>
    public Matrix(int rows, int columns)
        : this(rows, columns, LargeArray.Zeros<float>(checked(rows * columns)))
    {
    }

    /// <summary>Wraps <paramref name="data"/> without copying; it holds at least rows × columns values.</summary>
    public Matrix(int rows, int columns, float[] data)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ArgumentOutOfRangeException.ThrowIfLessThan(data.Length, checked(rows * columns), nameof(data));
        Rows = rows;
        Columns = columns;
        Data = data;
    }

    /// <summary>The rows of all <paramref name="parts"/>, copied one after the other; each part has <paramref name="columns"/> columns.</summary>
    public static Matrix Concatenate(IReadOnlyList<Matrix> parts, int columns)
    {
        var whole = new Matrix(parts.Sum(part => part.Rows), columns);
        var rest = whole.Span;
        foreach (var part in parts)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(part.Columns, columns, nameof(parts));
            part.Span.CopyTo(rest);
            rest = rest[part.Span.Length..];
        }

        return whole;
    }

    /// <summary>Matrices of their own with the same values, in order.</summary>
    public static Matrix[] Copy(ReadOnlySpan<Matrix> matrices)
    {
        var copies = new Matrix[matrices.Length];
        for (var i = 0; i < copies.Length; i++)
        {
            copies[i] = matrices[i].Copy();
        }

        return copies;
    }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>The number of columns.</summary>
    public int Columns { get; }

    /// <summary>The backing array; the first <see cref="Rows"/> × <see cref="Columns"/> values count.</summary>
    public float[] Data { get; }

    /// <summary>All values, row after row.</summary>
    public Span<float> Span => Data.AsSpan(0, Rows * Columns);

    /// <summary>One value.</summary>
    public ref float this[int row, int column] => ref Data[(row * Columns) + column];

    /// <summary>The values of row <paramref name="row"/>.</summary>
    public Span<float> Row(int row) => Data.AsSpan(row * Columns, Columns);

    /// <summary>A matrix of its own with the same values.</summary>
    public Matrix Copy() => new(Rows, Columns, Span.ToArray());

    /// <summary>The first <paramref name="rows"/> rows, sharing the backing array.</summary>
    public Matrix Top(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, Rows);
        return new Matrix(rows, Columns, Data);
    }
}
