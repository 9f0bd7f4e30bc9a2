using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>Matrix products for the numerics: any strides on the inputs, inputs widened to the output's precision, one defined result. Each output adds its products in ascending order with fused
/// multiply-add, in blocks of <see cref="BlockDepth"/> whose sums are added in order; vectors run over outputs, so neither threads nor vector width change a bit.</summary>
internal static class RealGemm
{
    /// <summary>Products per partial sum.</summary>
    public const int BlockDepth = 256;

    private const int TileRows = 4;
    private const int PieceRows = 64;
    private const int PiecePanels = 8;
    private const int BlockPanels = 64;

    /// <summary>A·B as a new matrix: [m, k] × [k, n].</summary>
    public static RealMatrix<T> Multiply<TA, TB, T>(MatrixView<TA> a, MatrixView<TB> b)
        where TA : unmanaged, IBinaryFloatingPointIeee754<TA>
        where TB : unmanaged, IBinaryFloatingPointIeee754<TB>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var c = new RealMatrix<T>(a.Rows, b.Columns);
        Accumulate(a, b, c.View);
        return c;
    }

    /// <summary>C += A·B, or C −= A·B.</summary>
    /// <param name="a">[m, k].</param>
    /// <param name="b">[k, n].</param>
    /// <param name="c">[m, n], column stride 1.</param>
    /// <param name="subtract">Whether to subtract the product.</param>
    /// <param name="lowerOnly">Leaves tiles that lie above the diagonal of C as they are.</param>
    public static void Accumulate<TA, TB, T>(MatrixView<TA> a, MatrixView<TB> b, MatrixView<T> c, bool subtract = false, bool lowerOnly = false)
        where TA : unmanaged, IBinaryFloatingPointIeee754<TA>
        where TB : unmanaged, IBinaryFloatingPointIeee754<TB>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (a.Columns != b.Rows || a.Rows != c.Rows || b.Columns != c.Columns || c.ColumnStride != 1)
        {
            throw new ArgumentException($"[{a.Rows}, {a.Columns}] × [{b.Rows}, {b.Columns}] is not [{c.Rows}, {c.Columns}].");
        }

        var width = TileColumns<T>();
        for (var column = 0; column < b.Columns; column += BlockPanels * width)
        {
            var columns = Math.Min(BlockPanels * width, b.Columns - column);
            for (var depth = 0; depth < a.Columns; depth += BlockDepth)
            {
                var depths = Math.Min(BlockDepth, a.Columns - depth);
                AccumulateBlock(a.Block(0, depth, a.Rows, depths), b.Block(depth, column, depths, columns), c.Block(0, column, c.Rows, columns), subtract, lowerOnly ? column : null);
            }
        }
    }

    private static int TileColumns<T>() => 2 * Vector512<T>.Count;

    private static void AccumulateBlock<TA, TB, T>(MatrixView<TA> a, MatrixView<TB> b, MatrixView<T> c, bool subtract, int? firstColumn)
        where TA : unmanaged, IBinaryFloatingPointIeee754<TA>
        where TB : unmanaged, IBinaryFloatingPointIeee754<TB>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (depth, width) = (a.Columns, TileColumns<T>());
        var panels = (b.Columns + width - 1) / width;
        var packedB = ArrayPool<T>.Shared.Rent(panels * depth * width);
        Workers.For(panels, panel => Pack(b.Transposed, panel * width, width, packedB.AsSpan(panel * depth * width, depth * width)));
        var rowPieces = (a.Rows + PieceRows - 1) / PieceRows;
        var columnPieces = (panels + PiecePanels - 1) / PiecePanels;
        Workers.For(rowPieces * columnPieces, piece =>
        {
            var packedA = ArrayPool<T>.Shared.Rent(PieceRows * depth);
            var startRow = piece / columnPieces * PieceRows;
            var startPanel = piece % columnPieces * PiecePanels;
            var endRow = Math.Min(startRow + PieceRows, a.Rows);
            var endPanel = Math.Min(startPanel + PiecePanels, panels);
            for (var row = startRow; row < endRow; row += TileRows)
            {
                Pack(a, row, TileRows, packedA.AsSpan((row - startRow) * depth, TileRows * depth));
            }

            for (var panel = startPanel; panel < endPanel; panel++)
            {
                for (var row = startRow; row < endRow; row += TileRows)
                {
                    if (firstColumn is null || firstColumn + (panel * width) < row + TileRows)
                    {
                        Tile(packedA.AsSpan((row - startRow) * depth, TileRows * depth), packedB.AsSpan(panel * depth * width, depth * width), depth, c, row, panel * width, subtract);
                    }
                }
            }

            ArrayPool<T>.Shared.Return(packedA);
        });
        ArrayPool<T>.Shared.Return(packedB);
    }

    /// <summary>Lays <paramref name="count"/> rows side by side, depth after depth; rows past the end become zero.</summary>
    private static void Pack<TSource, T>(MatrixView<TSource> source, int firstRow, int count, Span<T> packed)
        where TSource : unmanaged, IBinaryFloatingPointIeee754<TSource>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var depth = source.Columns;
        var rows = Math.Min(count, source.Rows - firstRow);
        if (rows < count)
        {
            packed.Clear();
        }

        var start = source.Offset + (firstRow * source.RowStride);
        for (var k = 0; k < depth; k++)
        {
            var position = start + (k * source.ColumnStride);
            for (var row = 0; row < rows; row++)
            {
                packed[(k * count) + row] = T.CreateTruncating(source.Data[position + (row * source.RowStride)]);
            }
        }
    }

    private static void Tile<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, int depth, MatrixView<T> c, int row, int column, bool subtract)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var width = TileColumns<T>();
        Span<T> sums = stackalloc T[TileRows * width];
        Sums(ref MemoryMarshal.GetReference(a), ref MemoryMarshal.GetReference(b), depth, ref MemoryMarshal.GetReference(sums));
        var columns = Math.Min(width, c.Columns - column);
        for (var i = 0; i < Math.Min(TileRows, c.Rows - row); i++)
        {
            var target = c.Row(row + i).Slice(column, columns);
            var source = sums.Slice(i * width, columns);
            if (columns == width)
            {
                Add(ref MemoryMarshal.GetReference(target), ref MemoryMarshal.GetReference(source), subtract);
                continue;
            }

            for (var j = 0; j < target.Length; j++)
            {
                target[j] = subtract ? target[j] - source[j] : target[j] + source[j];
            }
        }
    }

    /// <summary>Adds a whole tile's row.</summary>
    private static void Add<T>(ref T target, ref T source, bool subtract)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = (nuint)Vector512<T>.Count;
        for (nuint j = 0; j < 2 * lanes; j += lanes)
        {
            var (sum, part) = (Vector512.LoadUnsafe(ref target, j), Vector512.LoadUnsafe(ref source, j));
            (subtract ? sum - part : sum + part).StoreUnsafe(ref target, j);
        }
    }

    private static void Sums<T>(ref T a, ref T b, int depth, ref T sums)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = (nuint)Vector512<T>.Count;
        Vector512<T> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        for (var k = 0; k < depth; k++)
        {
            var b0 = Vector512.LoadUnsafe(ref b);
            var b1 = Vector512.LoadUnsafe(ref b, lanes);
            var a0 = Vector512.Create(a);
            c00 = Lanes.FusedMultiplyAdd(a0, b0, c00);
            c01 = Lanes.FusedMultiplyAdd(a0, b1, c01);
            var a1 = Vector512.Create(Unsafe.Add(ref a, 1));
            c10 = Lanes.FusedMultiplyAdd(a1, b0, c10);
            c11 = Lanes.FusedMultiplyAdd(a1, b1, c11);
            var a2 = Vector512.Create(Unsafe.Add(ref a, 2));
            c20 = Lanes.FusedMultiplyAdd(a2, b0, c20);
            c21 = Lanes.FusedMultiplyAdd(a2, b1, c21);
            var a3 = Vector512.Create(Unsafe.Add(ref a, 3));
            c30 = Lanes.FusedMultiplyAdd(a3, b0, c30);
            c31 = Lanes.FusedMultiplyAdd(a3, b1, c31);
            a = ref Unsafe.Add(ref a, TileRows);
            b = ref Unsafe.Add(ref b, 2 * (int)lanes);
        }

        c00.StoreUnsafe(ref sums);
        c01.StoreUnsafe(ref sums, lanes);
        c10.StoreUnsafe(ref sums, 2 * lanes);
        c11.StoreUnsafe(ref sums, 3 * lanes);
        c20.StoreUnsafe(ref sums, 4 * lanes);
        c21.StoreUnsafe(ref sums, 5 * lanes);
        c30.StoreUnsafe(ref sums, 6 * lanes);
        c31.StoreUnsafe(ref sums, 7 * lanes);
    }
}
