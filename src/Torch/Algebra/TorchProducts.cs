using MASQuant.Engine.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace MASQuant.Torch.Algebra;

/// <summary>Products in pieces of fixed extents, each by one thread of libtorch: how it shares a product or a factorization among threads changes sums, how many pieces are computed at once does not. Other devices take them whole.</summary>
internal static class TorchProducts
{
    private const int PieceRows = 512;
    private const int PieceColumns = 1024;

    /// <summary>C += A·B, or C −= A·B; products in their own precision, the sum in C's.</summary>
    /// <param name="a">[m, k].</param>
    /// <param name="b">[k, n].</param>
    /// <param name="c">[m, n].</param>
    /// <param name="subtract">Whether to subtract the product.</param>
    /// <param name="lowerOnly">Leaves pieces that lie above the diagonal of C as they are.</param>
    public static void Accumulate(Tensor a, Tensor b, Tensor c, bool subtract = false, bool lowerOnly = false)
        => InPieces(c, PieceRows, PieceColumns, (row, end, column, last) =>
        {
            if (!lowerOnly || column < end)
            {
                var product = a[row..end].mm(b[.., column..last]);
                var target = c[row..end, column..last];
                if (subtract)
                {
                    target.sub_(product);
                }
                else
                {
                    target.Increase(product);
                }
            }
        });

    /// <summary>A·B as a new tensor.</summary>
    public static Tensor Multiply(Tensor a, Tensor b)
    {
        var c = empty([a.shape[0], b.shape[1]], a.dtype, a.device);
        InPieces(c, PieceRows, PieceColumns, (row, end, column, last) => c[row..end, column..last].copy_(a[row..end].mm(b[.., column..last])));
        return c;
    }

    /// <summary>X ← X·L⁻ᵀ with a small L.</summary>
    /// <param name="lower">[k, k].</param>
    /// <param name="x">[m, k].</param>
    public static void SolveFromRight(Tensor lower, Tensor x)
        => InPieces(x, PieceRows, (int)x.shape[1], (row, end, _, _) => x[row..end].copy_(linalg.solve_triangular(lower.t(), x[row..end], upper: true, left: false)));

    /// <summary>X ← L⁻¹·X, or L⁻ᵀ·X, with a small L.</summary>
    /// <param name="lower">[k, k].</param>
    /// <param name="transposed">Whether it is Lᵀ.</param>
    /// <param name="x">[k, n].</param>
    public static void SolveFromLeft(Tensor lower, bool transposed, Tensor x)
        => InPieces(x, (int)x.shape[0], PieceColumns, (_, _, column, last) => x[.., column..last].copy_(linalg.solve_triangular(transposed ? lower.t() : lower, x[.., column..last], upper: transposed)));

    private static void InPieces(Tensor c, int rows, int columns, Action<int, int, int, int> compute)
    {
        var (m, n) = ((int)c.shape[0], (int)c.shape[1]);
        if (m == 0 || n == 0)
        {
            return;
        }

        if (c.device.type != DeviceType.CPU)
        {
            compute(0, m, 0, n);
            return;
        }

        var across = (n + columns - 1) / columns;
        Workers.For((m + rows - 1) / rows * across, piece =>
        {
            using var scope = NewDisposeScope();
            using var untracked = no_grad();
            set_num_threads(1); // Each thread has its own.
            var (row, column) = (piece / across * rows, piece % across * columns);
            compute(row, Math.Min(m, row + rows), column, Math.Min(n, column + columns));
        });
    }
}
