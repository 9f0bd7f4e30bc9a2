using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>Products of a few row vectors with a large row-major matrix, which is read once and in order. <see cref="RealGemm"/> packs its inputs first, which would take longer than such a product.</summary>
internal static class RowProducts
{
    /// <summary>Rows of the matrix that are taken together.</summary>
    public const int PieceRows = 32;
    private const int PieceColumns = 512;
    private const int Pair = 2;
    private const int Together = 4;

    // Sums that stay in registers: so many rows, by four vectors.
    private const int TileRows = 6;
    private const int TileVectors = 4;

    /// <summary>X·Aᵀ, [p, m].</summary>
    /// <param name="x">[p, n].</param>
    /// <param name="a">[m, n], column stride 1.</param>
    /// <param name="lower">Whether row i of A counts only up to column i.</param>
    public static RealMatrix<double> Dots<T>(RealMatrix<double> x, MatrixView<T> a, bool lower = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => RealMatrix<double>.From(Dots(RealMatrix<T>.From(x.View), a, lower).View);

    /// <summary>X·Aᵀ, [p, m], in the precision of both.</summary>
    /// <param name="x">[p, n].</param>
    /// <param name="a">[m, n], column stride 1.</param>
    /// <param name="lower">Whether row i of A counts only up to column i.</param>
    public static RealMatrix<T> Dots<T>(RealMatrix<T> x, MatrixView<T> a, bool lower = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var products = new RealMatrix<T>(x.Rows, a.Rows);
        Workers.For((a.Rows + PieceRows - 1) / PieceRows, piece =>
        {
            var last = Math.Min((piece + 1) * PieceRows, a.Rows);
            var i = piece * PieceRows;
            for (; i <= last - Pair; i += Pair)
            {
                for (var p = 0; p <= x.Rows - Together; p += Together)
                {
                    Dot(a, i, lower, x, p, products);
                }

                Rest(i, i + Pair, x.Rows / Together * Together);
            }

            Rest(i, last, 0);

            void Rest(int from, int to, int p)
            {
                for (var row = from; row < to; row++)
                {
                    for (var q = p; q < x.Rows; q++)
                    {
                        products[q, row] = Lanes.Dot<T>(a.Row(row)[..(lower ? row + 1 : a.Columns)], x.Row(q));
                    }
                }
            }
        });
        return products;
    }

    /// <summary>Y·A, [p, n].</summary>
    /// <param name="y">[p, m].</param>
    /// <param name="a">[m, n], column stride 1.</param>
    /// <param name="lower">Whether row i of A counts only up to column i.</param>
    public static RealMatrix<double> Sums<T>(RealMatrix<double> y, MatrixView<T> a, bool lower = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => RealMatrix<double>.From(Sums(RealMatrix<T>.From(y.View), a, lower).View);

    /// <summary>Y·A, [p, n], in the precision of both; every sum in the order of A's rows.</summary>
    /// <param name="y">[p, m].</param>
    /// <param name="a">[m, n], column stride 1.</param>
    /// <param name="lower">Whether row i of A counts only up to column i.</param>
    public static RealMatrix<T> Sums<T>(RealMatrix<T> y, MatrixView<T> a, bool lower = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sums = new RealMatrix<T>(y.Rows, a.Columns);
        Workers.For((a.Columns + PieceColumns - 1) / PieceColumns, piece =>
        {
            var start = piece * PieceColumns;
            var end = Math.Min(start + PieceColumns, a.Columns);
            for (var i = lower ? start : 0; i < a.Rows; i += PieceRows)
            {
                AddRows(y, a, sums, (i, Math.Min(PieceRows, a.Rows - i)), (start, end), lower);
            }
        });
        return sums;
    }

    /// <summary>Adds what <paramref name="rows"/> of A give to <paramref name="columns"/> of Y·A.</summary>
    internal static void AddRows<T>(RealMatrix<T> y, MatrixView<T> a, RealMatrix<T> sums, (int First, int Count) rows, (int Start, int End) columns, bool lower)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var width = TileVectors * Vector512<T>.Count;
        var whole = lower ? Math.Min(columns.End, rows.First + 1) : columns.End;
        var tiled = columns.Start + (Math.Max(0, whole - columns.Start) / width * width);
        var p = 0;
        for (; p <= y.Rows - TileRows; p += TileRows)
        {
            for (var column = columns.Start; column < tiled; column += width)
            {
                AddTile(y, a, sums, p, rows, column);
            }
        }

        for (var i = rows.First; i < rows.First + rows.Count; i++)
        {
            var end = lower ? Math.Min(columns.End, i + 1) : columns.End;
            for (var q = 0; q < y.Rows; q++)
            {
                var from = q < p ? tiled : columns.Start;
                if (from < end)
                {
                    Lanes.AddScaled<T>(y[q, i], a.Row(i)[from..end], sums.Row(q)[from..]);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTile<T>(RealMatrix<T> y, MatrixView<T> a, RealMatrix<T> sums, int p, (int First, int Count) rows, int column)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = (nuint)Vector512<T>.Count;
        ref var x = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(y.Data), (p * y.Columns) + rows.First);
        ref var s = ref sums[p, column];
        nint yStride = y.Columns, sStride = sums.Columns;
        ref var s0 = ref Unsafe.Add(ref s, 0 * sStride);
        var (c00, c01, c02, c03) = (Vector512.LoadUnsafe(ref s0), Vector512.LoadUnsafe(ref s0, lanes), Vector512.LoadUnsafe(ref s0, 2 * lanes), Vector512.LoadUnsafe(ref s0, 3 * lanes));
        ref var s1 = ref Unsafe.Add(ref s, 1 * sStride);
        var (c10, c11, c12, c13) = (Vector512.LoadUnsafe(ref s1), Vector512.LoadUnsafe(ref s1, lanes), Vector512.LoadUnsafe(ref s1, 2 * lanes), Vector512.LoadUnsafe(ref s1, 3 * lanes));
        ref var s2 = ref Unsafe.Add(ref s, 2 * sStride);
        var (c20, c21, c22, c23) = (Vector512.LoadUnsafe(ref s2), Vector512.LoadUnsafe(ref s2, lanes), Vector512.LoadUnsafe(ref s2, 2 * lanes), Vector512.LoadUnsafe(ref s2, 3 * lanes));
        ref var s3 = ref Unsafe.Add(ref s, 3 * sStride);
        var (c30, c31, c32, c33) = (Vector512.LoadUnsafe(ref s3), Vector512.LoadUnsafe(ref s3, lanes), Vector512.LoadUnsafe(ref s3, 2 * lanes), Vector512.LoadUnsafe(ref s3, 3 * lanes));
        ref var s4 = ref Unsafe.Add(ref s, 4 * sStride);
        var (c40, c41, c42, c43) = (Vector512.LoadUnsafe(ref s4), Vector512.LoadUnsafe(ref s4, lanes), Vector512.LoadUnsafe(ref s4, 2 * lanes), Vector512.LoadUnsafe(ref s4, 3 * lanes));
        ref var s5 = ref Unsafe.Add(ref s, 5 * sStride);
        var (c50, c51, c52, c53) = (Vector512.LoadUnsafe(ref s5), Vector512.LoadUnsafe(ref s5, lanes), Vector512.LoadUnsafe(ref s5, 2 * lanes), Vector512.LoadUnsafe(ref s5, 3 * lanes));
        for (var i = 0; i < rows.Count; i++)
        {
            ref var row = ref a.Data[a.Offset + ((rows.First + i) * a.RowStride) + column];
            var (r0, r1, r2, r3) = (Vector512.LoadUnsafe(ref row), Vector512.LoadUnsafe(ref row, lanes), Vector512.LoadUnsafe(ref row, 2 * lanes), Vector512.LoadUnsafe(ref row, 3 * lanes));
            var x0 = Vector512.Create(Unsafe.Add(ref x, (0 * yStride) + i));
            c00 = Lanes.FusedMultiplyAdd(x0, r0, c00);
            c01 = Lanes.FusedMultiplyAdd(x0, r1, c01);
            c02 = Lanes.FusedMultiplyAdd(x0, r2, c02);
            c03 = Lanes.FusedMultiplyAdd(x0, r3, c03);
            var x1 = Vector512.Create(Unsafe.Add(ref x, (1 * yStride) + i));
            c10 = Lanes.FusedMultiplyAdd(x1, r0, c10);
            c11 = Lanes.FusedMultiplyAdd(x1, r1, c11);
            c12 = Lanes.FusedMultiplyAdd(x1, r2, c12);
            c13 = Lanes.FusedMultiplyAdd(x1, r3, c13);
            var x2 = Vector512.Create(Unsafe.Add(ref x, (2 * yStride) + i));
            c20 = Lanes.FusedMultiplyAdd(x2, r0, c20);
            c21 = Lanes.FusedMultiplyAdd(x2, r1, c21);
            c22 = Lanes.FusedMultiplyAdd(x2, r2, c22);
            c23 = Lanes.FusedMultiplyAdd(x2, r3, c23);
            var x3 = Vector512.Create(Unsafe.Add(ref x, (3 * yStride) + i));
            c30 = Lanes.FusedMultiplyAdd(x3, r0, c30);
            c31 = Lanes.FusedMultiplyAdd(x3, r1, c31);
            c32 = Lanes.FusedMultiplyAdd(x3, r2, c32);
            c33 = Lanes.FusedMultiplyAdd(x3, r3, c33);
            var x4 = Vector512.Create(Unsafe.Add(ref x, (4 * yStride) + i));
            c40 = Lanes.FusedMultiplyAdd(x4, r0, c40);
            c41 = Lanes.FusedMultiplyAdd(x4, r1, c41);
            c42 = Lanes.FusedMultiplyAdd(x4, r2, c42);
            c43 = Lanes.FusedMultiplyAdd(x4, r3, c43);
            var x5 = Vector512.Create(Unsafe.Add(ref x, (5 * yStride) + i));
            c50 = Lanes.FusedMultiplyAdd(x5, r0, c50);
            c51 = Lanes.FusedMultiplyAdd(x5, r1, c51);
            c52 = Lanes.FusedMultiplyAdd(x5, r2, c52);
            c53 = Lanes.FusedMultiplyAdd(x5, r3, c53);
        }

        c00.StoreUnsafe(ref s0);
        c01.StoreUnsafe(ref s0, lanes);
        c02.StoreUnsafe(ref s0, 2 * lanes);
        c03.StoreUnsafe(ref s0, 3 * lanes);
        c10.StoreUnsafe(ref s1);
        c11.StoreUnsafe(ref s1, lanes);
        c12.StoreUnsafe(ref s1, 2 * lanes);
        c13.StoreUnsafe(ref s1, 3 * lanes);
        c20.StoreUnsafe(ref s2);
        c21.StoreUnsafe(ref s2, lanes);
        c22.StoreUnsafe(ref s2, 2 * lanes);
        c23.StoreUnsafe(ref s2, 3 * lanes);
        c30.StoreUnsafe(ref s3);
        c31.StoreUnsafe(ref s3, lanes);
        c32.StoreUnsafe(ref s3, 2 * lanes);
        c33.StoreUnsafe(ref s3, 3 * lanes);
        c40.StoreUnsafe(ref s4);
        c41.StoreUnsafe(ref s4, lanes);
        c42.StoreUnsafe(ref s4, 2 * lanes);
        c43.StoreUnsafe(ref s4, 3 * lanes);
        c50.StoreUnsafe(ref s5);
        c51.StoreUnsafe(ref s5, lanes);
        c52.StoreUnsafe(ref s5, 2 * lanes);
        c53.StoreUnsafe(ref s5, 3 * lanes);
    }

    // Eight sums at once: one alone would wait for each of its additions, and every vector that was read serves twice or more.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dot<T>(MatrixView<T> a, int i, bool lower, RealMatrix<T> x, int p, RealMatrix<T> products)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = Vector512<T>.Count;
        var first = a.Row(i)[..(lower ? i + 1 : a.Columns)];
        var second = a.Row(i + 1)[..(lower ? i + 2 : a.Columns)];
        Vector512<T> s00 = default, s01 = default, s02 = default, s03 = default, s10 = default, s11 = default, s12 = default, s13 = default;
        ref var a0 = ref MemoryMarshal.GetReference(first);
        ref var a1 = ref MemoryMarshal.GetReference(second);
        ref var y0 = ref MemoryMarshal.GetReference(x.Row(p)[..second.Length]);
        ref var y1 = ref MemoryMarshal.GetReference(x.Row(p + 1)[..second.Length]);
        ref var y2 = ref MemoryMarshal.GetReference(x.Row(p + 2)[..second.Length]);
        ref var y3 = ref MemoryMarshal.GetReference(x.Row(p + 3)[..second.Length]);
        var k = 0;
        for (; k <= first.Length - lanes; k += lanes)
        {
            var (v0, v1) = (Vector512.LoadUnsafe(ref a0, (nuint)k), Vector512.LoadUnsafe(ref a1, (nuint)k));
            var (x0, x1, x2, x3) = (Vector512.LoadUnsafe(ref y0, (nuint)k), Vector512.LoadUnsafe(ref y1, (nuint)k), Vector512.LoadUnsafe(ref y2, (nuint)k), Vector512.LoadUnsafe(ref y3, (nuint)k));
            s00 = Lanes.FusedMultiplyAdd(v0, x0, s00);
            s01 = Lanes.FusedMultiplyAdd(v0, x1, s01);
            s02 = Lanes.FusedMultiplyAdd(v0, x2, s02);
            s03 = Lanes.FusedMultiplyAdd(v0, x3, s03);
            s10 = Lanes.FusedMultiplyAdd(v1, x0, s10);
            s11 = Lanes.FusedMultiplyAdd(v1, x1, s11);
            s12 = Lanes.FusedMultiplyAdd(v1, x2, s12);
            s13 = Lanes.FusedMultiplyAdd(v1, x3, s13);
        }

        Store(i, first, s00, s01, s02, s03);
        Store(i + 1, second, s10, s11, s12, s13);

        void Store(int row, ReadOnlySpan<T> values, Vector512<T> s0, Vector512<T> s1, Vector512<T> s2, Vector512<T> s3)
        {
            var done = (lower ? i + 1 : a.Columns) / lanes * lanes;
            products[p, row] = Total(s0, values[done..], x.Row(p)[done..]);
            products[p + 1, row] = Total(s1, values[done..], x.Row(p + 1)[done..]);
            products[p + 2, row] = Total(s2, values[done..], x.Row(p + 2)[done..]);
            products[p + 3, row] = Total(s3, values[done..], x.Row(p + 3)[done..]);
        }
    }

    private static T Total<T>(Vector512<T> sums, ReadOnlySpan<T> a, ReadOnlySpan<T> b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var total = T.Zero;
        for (var lane = 0; lane < Vector512<T>.Count; lane++)
        {
            total += sums[lane];
        }

        for (var k = 0; k < a.Length; k++)
        {
            total = T.FusedMultiplyAdd(a[k], b[k], total);
        }

        return total;
    }
}
