using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>Matrix products for the numerics: any strides on the inputs, inputs brought to the working precision, one defined result. Each output adds its products in ascending order with fused
/// multiply-add, in blocks of <see cref="BlockDepth"/> whose sums are added in order; vectors run over outputs, so neither threads nor vector width change a bit.</summary>
internal static class RealGemm
{
    /// <summary>Products per partial sum.</summary>
    public const int BlockDepth = 256;

    // Blocks of depth that are packed together, so that C is read and written less often.
    private const int PackedBlocks = 4;
    private const int VectorBytes = 64;
    private const int PieceRows = 64;
    private const int PiecePanels = 16;
    private const int BlockPanels = 64;

    /// <summary>Rows of a tile.</summary>
    public const int TileRows = 8;

    /// <summary>Bytes of packed operands that stay in the pool, in FP32 and in FP64.</summary>
    public const long PooledBytes = 2L * BlockPanels * 2 * VectorBytes * PackedBlocks * BlockDepth;

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
    /// <param name="lowerOnly">Leaves what lies above the diagonal of C as it is.</param>
    public static void Accumulate<TA, TB, T>(MatrixView<TA> a, MatrixView<TB> b, MatrixView<T> c, bool subtract = false, bool lowerOnly = false)
        where TA : unmanaged, IBinaryFloatingPointIeee754<TA>
        where TB : unmanaged, IBinaryFloatingPointIeee754<TB>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => Accumulate<TA, TB, T, T>(a, b, c, subtract, lowerOnly);

    /// <summary>C += AᵀB of FP32 rows: partial sums in FP32, twice as fast as in FP64; their sum in C's precision. The error of an output is about that of <see cref="BlockDepth"/> FP32 additions, however many rows there are.</summary>
    /// <param name="a">[k, m].</param>
    /// <param name="b">[k, n].</param>
    /// <param name="c">[m, n], column stride 1.</param>
    /// <param name="lowerOnly">Leaves what lies above the diagonal of C as it is.</param>
    public static void AddRows<T>(MatrixView<float> a, MatrixView<float> b, MatrixView<T> c, bool lowerOnly = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => Accumulate<float, float, float, T>(a.Transposed, b, c, subtract: false, lowerOnly);

    private static void Accumulate<TA, TB, TWork, T>(MatrixView<TA> a, MatrixView<TB> b, MatrixView<T> c, bool subtract, bool lowerOnly)
        where TA : unmanaged, IBinaryFloatingPointIeee754<TA>
        where TB : unmanaged, IBinaryFloatingPointIeee754<TB>
        where TWork : unmanaged, IBinaryFloatingPointIeee754<TWork>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (a.Columns != b.Rows || a.Rows != c.Rows || b.Columns != c.Columns || c.ColumnStride != 1)
        {
            throw new ArgumentException($"[{a.Rows}, {a.Columns}] × [{b.Rows}, {b.Columns}] is not [{c.Rows}, {c.Columns}].");
        }

        var width = TileColumns<TWork>();
        for (var column = 0; column < b.Columns; column += BlockPanels * width)
        {
            var columns = Math.Min(BlockPanels * width, b.Columns - column);
            for (var depth = 0; depth < a.Columns; depth += PackedBlocks * BlockDepth)
            {
                var depths = Math.Min(PackedBlocks * BlockDepth, a.Columns - depth);
                AccumulateBlock<TA, TB, TWork, T>(a.Block(0, depth, a.Rows, depths), b.Block(depth, column, depths, columns), c.Block(0, column, c.Rows, columns), subtract, lowerOnly ? column : null);
            }
        }
    }

    private static int TileColumns<T>() => 2 * Vector512<T>.Count;

    private static void AccumulateBlock<TA, TB, TWork, T>(MatrixView<TA> a, MatrixView<TB> b, MatrixView<T> c, bool subtract, int? firstColumn)
        where TA : unmanaged, IBinaryFloatingPointIeee754<TA>
        where TB : unmanaged, IBinaryFloatingPointIeee754<TB>
        where TWork : unmanaged, IBinaryFloatingPointIeee754<TWork>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (depth, width) = (a.Columns, TileColumns<TWork>());
        var panels = (b.Columns + width - 1) / width;
        var packedB = LargeArray.Rent<TWork>(panels * depth * width);
        Workers.For(panels, panel => Pack(b.Transposed, panel * width, width, packedB.AsSpan(panel * depth * width, depth * width)));
        var rowPieces = (a.Rows + PieceRows - 1) / PieceRows;
        var columnPieces = (panels + PiecePanels - 1) / PiecePanels;
        Workers.For(rowPieces * columnPieces, piece =>
        {
            var startRow = piece / columnPieces * PieceRows;
            var startPanel = piece % columnPieces * PiecePanels;
            var endRow = Math.Min(startRow + PieceRows, a.Rows);
            var endPanel = Math.Min(startPanel + PiecePanels, panels);
            if (firstColumn + (startPanel * width) >= endRow)
            {
                return;
            }

            var packedA = LargeArray.Rent<TWork>(PieceRows * depth);
            for (var row = startRow; row < endRow; row += TileRows)
            {
                Pack(a, row, TileRows, packedA.AsSpan((row - startRow) * depth, TileRows * depth));
            }

            for (var panel = startPanel; panel < endPanel; panel++)
            {
                for (var start = 0; start < depth; start += BlockDepth)
                {
                    var count = Math.Min(BlockDepth, depth - start);
                    var panelB = packedB.AsSpan(((panel * depth) + start) * width, count * width);
                    for (var row = startRow; row < endRow; row += TileRows)
                    {
                        if (firstColumn is null || firstColumn + (panel * width) < row + TileRows)
                        {
                            Tile(packedA.AsSpan(((row - startRow) * depth) + (start * TileRows), count * TileRows), panelB, count, c, row, panel * width, subtract, firstColumn);
                        }
                    }
                }
            }

            ArrayPool<TWork>.Shared.Return(packedA);
        });
        ArrayPool<TWork>.Shared.Return(packedB);
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
        if (source.RowStride == 1 && typeof(TSource) == typeof(T))
        {
            var data = MemoryMarshal.Cast<TSource, T>(source.Data.AsSpan());
            for (var k = 0; k < depth; k++)
            {
                data.Slice(start + (k * source.ColumnStride), rows).CopyTo(packed[(k * count)..]);
            }

            return;
        }

        if (source.ColumnStride == 1 && typeof(TSource) == typeof(T))
        {
            for (var row = 0; row < rows; row++)
            {
                ref var from = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<TSource, T>(source.Data.AsSpan(start + (row * source.RowStride), depth)));
                ref var to = ref packed[row];
                for (var k = 0; k < depth; k++)
                {
                    Unsafe.Add(ref to, k * count) = Unsafe.Add(ref from, k);
                }
            }

            return;
        }

        for (var k = 0; k < depth; k++)
        {
            var position = start + (k * source.ColumnStride);
            for (var row = 0; row < rows; row++)
            {
                packed[(k * count) + row] = T.CreateTruncating(source.Data[position + (row * source.RowStride)]);
            }
        }
    }

    private static void Tile<TWork, T>(ReadOnlySpan<TWork> a, ReadOnlySpan<TWork> b, int depth, MatrixView<T> c, int row, int column, bool subtract, int? firstColumn)
        where TWork : unmanaged, IBinaryFloatingPointIeee754<TWork>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var width = TileColumns<TWork>();
        Span<TWork> sums = stackalloc TWork[TileRows * width];
        Sums(ref MemoryMarshal.GetReference(a), ref MemoryMarshal.GetReference(b), depth, ref MemoryMarshal.GetReference(sums));
        for (var i = 0; i < Math.Min(TileRows, c.Rows - row); i++)
        {
            var columns = Math.Min(width, Math.Min(c.Columns, (row + i + 1 - firstColumn) ?? c.Columns) - column);
            if (columns <= 0)
            {
                continue;
            }

            var target = c.Row(row + i).Slice(column, columns);
            var source = sums.Slice(i * width, columns);
            if (columns == width)
            {
                Add(ref MemoryMarshal.GetReference(target), ref MemoryMarshal.GetReference(source), subtract);
                continue;
            }

            for (var j = 0; j < target.Length; j++)
            {
                var sum = T.CreateTruncating(source[j]);
                target[j] = subtract ? target[j] - sum : target[j] + sum;
            }
        }
    }

    /// <summary>Adds a whole tile's row.</summary>
    private static void Add<TWork, T>(ref T target, ref TWork source, bool subtract)
        where TWork : unmanaged
        where T : unmanaged
    {
        if (typeof(TWork) != typeof(T))
        {
            AddWidened(ref Unsafe.As<T, double>(ref target), ref Unsafe.As<TWork, float>(ref source));
            return;
        }

        ref var part = ref Unsafe.As<TWork, T>(ref source);
        var lanes = (nuint)Vector512<T>.Count;
        for (nuint j = 0; j < 2 * lanes; j += lanes)
        {
            var (sum, added) = (Vector512.LoadUnsafe(ref target, j), Vector512.LoadUnsafe(ref part, j));
            (subtract ? sum - added : sum + added).StoreUnsafe(ref target, j);
        }
    }

    private static void AddWidened(ref double target, ref float source)
    {
        for (nuint j = 0; j < (nuint)TileColumns<float>(); j += (nuint)Vector256<float>.Count)
        {
            var (lower, upper) = Vector256.Widen(Vector256.LoadUnsafe(ref source, j));
            (Vector512.LoadUnsafe(ref target, j) + Vector512.Create(lower, upper)).StoreUnsafe(ref target, j);
        }
    }

    // Long before it was called often enough, it would have cost seconds.
    /// <summary>sums[<see cref="TileRows"/>, two vectors] = a · b, packed as [depth, <see cref="TileRows"/>] and [depth, two vectors].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Sums<T>(ref T a, ref T b, int depth, ref T sums)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = (nuint)Vector512<T>.Count;
        Vector512<T> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        Vector512<T> c40 = default, c41 = default, c50 = default, c51 = default, c60 = default, c61 = default, c70 = default, c71 = default;
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
            var a4 = Vector512.Create(Unsafe.Add(ref a, 4));
            c40 = Lanes.FusedMultiplyAdd(a4, b0, c40);
            c41 = Lanes.FusedMultiplyAdd(a4, b1, c41);
            var a5 = Vector512.Create(Unsafe.Add(ref a, 5));
            c50 = Lanes.FusedMultiplyAdd(a5, b0, c50);
            c51 = Lanes.FusedMultiplyAdd(a5, b1, c51);
            var a6 = Vector512.Create(Unsafe.Add(ref a, 6));
            c60 = Lanes.FusedMultiplyAdd(a6, b0, c60);
            c61 = Lanes.FusedMultiplyAdd(a6, b1, c61);
            var a7 = Vector512.Create(Unsafe.Add(ref a, 7));
            c70 = Lanes.FusedMultiplyAdd(a7, b0, c70);
            c71 = Lanes.FusedMultiplyAdd(a7, b1, c71);
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
        c40.StoreUnsafe(ref sums, 8 * lanes);
        c41.StoreUnsafe(ref sums, 9 * lanes);
        c50.StoreUnsafe(ref sums, 10 * lanes);
        c51.StoreUnsafe(ref sums, 11 * lanes);
        c60.StoreUnsafe(ref sums, 12 * lanes);
        c61.StoreUnsafe(ref sums, 13 * lanes);
        c70.StoreUnsafe(ref sums, 14 * lanes);
        c71.StoreUnsafe(ref sums, 15 * lanes);
    }
}
