using System.Numerics;

namespace MASQuant.Quantization.Numerics;

/// <summary>A rectangle of a matrix: element (i, j) lies at <c>Offset + i·RowStride + j·ColumnStride</c>. Copies nothing; transposing swaps the strides.</summary>
/// <param name="Data">The backing array.</param>
/// <param name="Offset">The position of element (0, 0).</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Columns.</param>
/// <param name="RowStride">The distance between rows.</param>
/// <param name="ColumnStride">The distance between columns.</param>
public readonly record struct MatrixView<T>(T[] Data, int Offset, int Rows, int Columns, int RowStride, int ColumnStride)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The same elements with rows and columns exchanged.</summary>
    public MatrixView<T> Transposed => new(Data, Offset, Columns, Rows, ColumnStride, RowStride);

    /// <summary>The rectangle of <paramref name="rows"/> × <paramref name="columns"/> elements that starts at (row, column).</summary>
    public MatrixView<T> Block(int row, int column, int rows, int columns)
        => new(Data, Offset + (row * RowStride) + (column * ColumnStride), rows, columns, RowStride, ColumnStride);

    /// <summary>The elements of a row; needs a column stride of 1.</summary>
    public Span<T> Row(int row) => Data.AsSpan(Offset + (row * RowStride), Columns);

    /// <summary>The shape; the members would print each other without end.</summary>
    public override string ToString() => $"[{Rows}, {Columns}]";
}

/// <summary>Views of whole matrices.</summary>
public static class MatrixView
{
    /// <summary>All of <paramref name="matrix"/>.</summary>
    public static MatrixView<float> View(this Matrix matrix) => new(matrix.Data, 0, matrix.Rows, matrix.Columns, matrix.Columns, 1);
}
