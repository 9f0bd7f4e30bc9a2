using System.Numerics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>Gram–Schmidt on rows, every row projected twice, which keeps the rows orthogonal to working precision (Giraud, Langou and Rozložník, 2005).</summary>
internal static class Orthonormalization
{
    private const int PieceColumns = 2048;

    /// <summary>Replaces <paramref name="rows"/> (q × n) by orthonormal rows Q, with rows = L·Q. A row that depends on the rows before it becomes zero.</summary>
    /// <returns>L, [q, q], lower triangular.</returns>
    public static RealMatrix<double> OrthonormalizeRows<T>(RealMatrix<T> rows)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var coefficients = new RealMatrix<double>(rows.Rows, rows.Rows);
        var projections = new T[rows.Rows];
        var noise = T.CreateTruncating(Math.Max(rows.Rows, 16)) * (T.BitIncrement(T.One) - T.One);
        for (var i = 0; i < rows.Rows; i++)
        {
            var original = Norm(rows, i);
            for (var pass = 0; pass < 2; pass++)
            {
                Project(rows, i, projections);
                for (var j = 0; j < i; j++)
                {
                    coefficients[i, j] += double.CreateTruncating(projections[j]);
                }
            }

            var norm = Norm(rows, i);
            if (!(norm > noise * original))
            {
                rows.Row(i).Clear();
                continue;
            }

            coefficients[i, i] = double.CreateTruncating(norm);
            Lanes.Scale(T.One / norm, rows.Row(i));
        }

        return coefficients;
    }

    private static T Norm<T>(RealMatrix<T> rows, int i)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => T.Sqrt(Lanes.Dot<T>(rows.Row(i), rows.Row(i)));

    /// <summary>Subtracts from row i its projections on the rows before it.</summary>
    private static void Project<T>(RealMatrix<T> rows, int i, T[] projections)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const int PieceRows = 16;
        Workers.For((i + PieceRows - 1) / PieceRows, piece =>
        {
            for (var j = piece * PieceRows; j < Math.Min(i, (piece + 1) * PieceRows); j++)
            {
                projections[j] = Lanes.Dot<T>(rows.Row(j), rows.Row(i));
            }
        });
        Workers.For((rows.Columns + PieceColumns - 1) / PieceColumns, piece =>
        {
            var start = piece * PieceColumns;
            var count = Math.Min(PieceColumns, rows.Columns - start);
            var target = rows.Row(i).Slice(start, count);
            for (var j = 0; j < i; j++)
            {
                Lanes.AddScaled<T>(-projections[j], rows.Row(j).Slice(start, count), target);
            }
        });
    }
}
