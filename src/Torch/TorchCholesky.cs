using System.Numerics;
using MASQuant.Quantization.Numerics;
using static TorchSharp.torch;

namespace MASQuant.Torch;

/// <summary>A = L·Lᵀ, in blocks: small factors and solves by one thread, what they explain of the rest by products, which have the same bits for any number of threads.</summary>
internal static class TorchCholesky
{
    /// <summary>Rows and columns of a block.</summary>
    public const int Block = 256;

    // Columns of a piece of the update: blocks above the diagonal are left out.
    private const int Piece = 1024;

    /// <summary>L on the device, with a clear upper triangle; null when a pivot is not above rounding noise.</summary>
    public static Tensor? TryFactor<T>(Device device, RealMatrix<T> matrix)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var a = TorchMatrix.Shared(matrix).to(device).tril();
        var floors = a.diagonal() * (matrix.Rows * double.CreateTruncating(T.BitIncrement(T.One) - T.One));
        for (var start = 0; start < matrix.Rows; start += Block)
        {
            using var step = NewDisposeScope();
            var end = Math.Min(start + Block, matrix.Rows);
            using (LapackThreads.One(device))
            {
                var (lower, info) = linalg.cholesky_ex(a[start..end, start..end]);
                if (info.item<int>() != 0)
                {
                    return null;
                }

                a[start..end, start..end].copy_(lower);
                if (end < matrix.Rows)
                {
                    a[end.., start..end].copy_(linalg.solve_triangular(lower.t(), a[end.., start..end], upper: true, left: false));
                }
            }

            for (var column = end; column < matrix.Rows; column += Piece)
            {
                var last = Math.Min(column + Piece, matrix.Rows);
                a[column.., column..last].sub_(a[column.., start..end].mm(a[column..last, start..end].t()));
            }
        }

        var pivots = a.diagonal();
        var usable = pivots.square().gt(floors).logical_and(pivots.isfinite()).all().item<bool>();
        return usable ? a.tril().MoveToOuterDisposeScope() : null;
    }
}
