using System.Buffers;
using System.Numerics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Numerics;

/// <summary>Another order of a symmetric matrix's rows and columns, where they lie: a second matrix of a wide layer would be half a gigabyte.</summary>
internal static class SymmetricOrder
{
    private const int PieceRows = 8;

    /// <summary>Brings row and column <c>order[i]</c> to place i.</summary>
    /// <param name="matrix">[K, K], both triangles.</param>
    /// <param name="order">Every place once.</param>
    public static void Apply<T>(RealMatrix<T> matrix, int[] order)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        MoveRows(matrix, order);
        Workers.For((order.Length + PieceRows - 1) / PieceRows, piece =>
        {
            var buffer = ArrayPool<T>.Shared.Rent(order.Length);
            for (var i = piece * PieceRows; i < Math.Min(order.Length, (piece + 1) * PieceRows); i++)
            {
                var row = matrix.Row(i);
                row.CopyTo(buffer);
                for (var j = 0; j < row.Length; j++)
                {
                    row[j] = buffer[order[j]];
                }
            }

            ArrayPool<T>.Shared.Return(buffer);
        });
    }

    // Along every cycle each row takes the next one's place; the first waits aside.
    private static void MoveRows<T>(RealMatrix<T> matrix, int[] order)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var first = new T[order.Length];
        var moved = new bool[order.Length];
        for (var start = 0; start < order.Length; start++)
        {
            if (moved[start])
            {
                continue;
            }

            matrix.Row(start).CopyTo(first);
            var place = start;
            while (order[place] != start)
            {
                matrix.Row(order[place]).CopyTo(matrix.Row(place));
                moved[place] = true;
                place = order[place];
            }

            first.CopyTo(matrix.Row(place));
            moved[place] = true;
        }
    }
}
