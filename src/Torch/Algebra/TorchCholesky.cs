using System.Numerics;
using MASQuant.Quantization.Numerics;
using static TorchSharp.torch;

namespace MASQuant.Torch.Algebra;

/// <summary>A = L·Lᵀ, in blocks: a small factor, and what it explains of the rest by products.</summary>
internal static class TorchCholesky
{
    /// <summary>Rows and columns of a block.</summary>
    public const int Block = 256;

    /// <summary>L on the device, with a clear upper triangle; null when a pivot is not above rounding noise.</summary>
    public static Tensor? TryFactor<T>(Device device, RealMatrix<T> matrix)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var a = TorchMatrix.Copy(matrix.View, device);
        var floors = a.diagonal().Times(matrix.Rows * double.CreateTruncating(T.BitIncrement(T.One) - T.One));
        for (var start = 0; start < matrix.Rows; start += Block)
        {
            using var step = NewDisposeScope();
            var end = Math.Min(start + Block, matrix.Rows);
            var (lower, info) = linalg.cholesky_ex(a[start..end, start..end]);
            if (info.item<int>() != 0)
            {
                return null;
            }

            a[start..end, start..end].copy_(lower);
            if (end < matrix.Rows)
            {
                var panel = a[end.., start..end];
                TorchProducts.SolveFromRight(lower, panel);
                TorchProducts.Accumulate(panel, panel.t(), a[end.., end..], subtract: true, lowerOnly: true);
            }
        }

        var usable = a.diagonal().Squared().gt(floors).all().item<bool>(); // false too for what is not finite
        return usable ? a.tril().MoveToOuterDisposeScope() : null;
    }
}
