using System.Numerics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>A dense row-major matrix whose precision the algorithm chooses: <see cref="double"/>, or <see cref="float"/> where K² doubles would not fit.</summary>
public sealed class RealMatrix<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public RealMatrix(int rows, int columns)
    {
        Rows = rows;
        Columns = columns;
        LargeBuffers.Reserve<T>((long)rows * columns);
        Data = new T[checked(rows * columns)];
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>The values, row after row.</summary>
    public T[] Data { get; }

    /// <summary>The whole matrix.</summary>
    public MatrixView<T> View => new(Data, 0, Rows, Columns, Columns, 1);

    public ref T this[int row, int column] => ref Data[(row * Columns) + column];

    public Span<T> Row(int row) => Data.AsSpan(row * Columns, Columns);

    /// <summary>The rectangle that starts at (row, column).</summary>
    public MatrixView<T> Block(int row, int column, int rows, int columns) => View.Block(row, column, rows, columns);

    public RealMatrix<T> Copy()
    {
        var copy = new RealMatrix<T>(Rows, Columns);
        Data.CopyTo(copy.Data, 0);
        return copy;
    }

    /// <summary>Copies a view of any strides and precision.</summary>
    public static RealMatrix<T> From<TSource>(MatrixView<TSource> source)
        where TSource : unmanaged, IBinaryFloatingPointIeee754<TSource>
    {
        var copy = new RealMatrix<T>(source.Rows, source.Columns);
        for (var i = 0; i < source.Rows; i++)
        {
            var row = copy.Row(i);
            var start = source.Offset + (i * source.RowStride);
            for (var j = 0; j < row.Length; j++)
            {
                row[j] = T.CreateTruncating(source.Data[start + (j * source.ColumnStride)]);
            }
        }

        return copy;
    }

    /// <summary>Makes a square matrix symmetric by its lower triangle.</summary>
    public void MirrorLower() => Mirror(fromUpper: false);

    /// <summary>Makes a square matrix symmetric by its upper triangle.</summary>
    public void MirrorUpper() => Mirror(fromUpper: true);

    /// <summary>Rounds to FP32.</summary>
    public Matrix ToMatrix()
    {
        var matrix = new Matrix(Rows, Columns);
        for (var i = 0; i < Data.Length; i++)
        {
            matrix.Data[i] = float.CreateTruncating(Data[i]);
        }

        return matrix;
    }

    private void Mirror(bool fromUpper)
    {
        const int Block = 64; // Square pieces, so that what is read or written column by column stays in the cache.
        var blocks = (Rows + Block - 1) / Block;
        Workers.For(blocks, piece =>
        {
            for (var start = 0; start <= piece * Block; start += Block)
            {
                for (var i = piece * Block; i < Math.Min(Rows, (piece + 1) * Block); i++)
                {
                    var row = Row(i);
                    for (var j = start; j < Math.Min(i, start + Block); j++)
                    {
                        if (fromUpper)
                        {
                            row[j] = this[j, i];
                        }
                        else
                        {
                            this[j, i] = row[j];
                        }
                    }
                }
            }
        });
    }
}
