using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>Products of a few row vectors with a large row-major matrix, which is read once and in order. <see cref="RealGemm"/> packs its inputs first, which would take longer than such a product.</summary>
internal static class RowProducts
{
    private const int PieceRows = 32;
    private const int PieceColumns = 512;
    private const int Together = 4;

    /// <summary>X·Aᵀ, [p, m].</summary>
    /// <param name="x">[p, n].</param>
    /// <param name="a">[m, n], column stride 1.</param>
    /// <param name="lower">Whether row i of A counts only up to column i.</param>
    public static RealMatrix<double> Dots<T>(RealMatrix<double> x, MatrixView<T> a, bool lower = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var rows = RealMatrix<T>.From(x.View);
        var products = new RealMatrix<double>(x.Rows, a.Rows);
        Workers.For((a.Rows + PieceRows - 1) / PieceRows, piece =>
        {
            for (var i = piece * PieceRows; i < Math.Min((piece + 1) * PieceRows, a.Rows); i++)
            {
                var row = a.Row(i)[..(lower ? i + 1 : a.Columns)];
                var p = 0;
                for (; p <= x.Rows - Together; p += Together)
                {
                    Dot(row, rows, p, products, i);
                }

                for (; p < x.Rows; p++)
                {
                    products[p, i] = double.CreateTruncating(Lanes.Dot<T>(row, rows.Row(p)));
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
    {
        var sums = new RealMatrix<T>(y.Rows, a.Columns);
        Workers.For((a.Columns + PieceColumns - 1) / PieceColumns, piece =>
        {
            var start = piece * PieceColumns;
            var end = Math.Min(start + PieceColumns, a.Columns);
            for (var i = lower ? start : 0; i < a.Rows; i++)
            {
                var row = a.Row(i)[start..(lower ? Math.Min(end, i + 1) : end)];
                for (var p = 0; p < y.Rows; p++)
                {
                    Lanes.AddScaled<T>(T.CreateTruncating(y[p, i]), row, sums.Row(p)[start..]);
                }
            }
        });
        return RealMatrix<double>.From(sums.View);
    }

    // Four sums at once: one alone would wait for each of its additions.
    private static void Dot<T>(ReadOnlySpan<T> a, RealMatrix<T> rows, int p, RealMatrix<double> products, int i)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var lanes = Vector512<T>.Count;
        Vector512<T> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        ref var x = ref MemoryMarshal.GetReference(a);
        ref var y0 = ref MemoryMarshal.GetReference(rows.Row(p)[..a.Length]);
        ref var y1 = ref MemoryMarshal.GetReference(rows.Row(p + 1)[..a.Length]);
        ref var y2 = ref MemoryMarshal.GetReference(rows.Row(p + 2)[..a.Length]);
        ref var y3 = ref MemoryMarshal.GetReference(rows.Row(p + 3)[..a.Length]);
        var k = 0;
        for (; k <= a.Length - lanes; k += lanes)
        {
            var value = Vector512.LoadUnsafe(ref x, (nuint)k);
            sum0 = Lanes.FusedMultiplyAdd(value, Vector512.LoadUnsafe(ref y0, (nuint)k), sum0);
            sum1 = Lanes.FusedMultiplyAdd(value, Vector512.LoadUnsafe(ref y1, (nuint)k), sum1);
            sum2 = Lanes.FusedMultiplyAdd(value, Vector512.LoadUnsafe(ref y2, (nuint)k), sum2);
            sum3 = Lanes.FusedMultiplyAdd(value, Vector512.LoadUnsafe(ref y3, (nuint)k), sum3);
        }

        var rest = a[k..];
        products[p, i] = Total(sum0, rest, rows.Row(p)[k..]);
        products[p + 1, i] = Total(sum1, rest, rows.Row(p + 1)[k..]);
        products[p + 2, i] = Total(sum2, rest, rows.Row(p + 2)[k..]);
        products[p + 3, i] = Total(sum3, rest, rows.Row(p + 3)[k..]);
    }

    private static double Total<T>(Vector512<T> sums, ReadOnlySpan<T> a, ReadOnlySpan<T> b)
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

        return double.CreateTruncating(total);
    }
}
