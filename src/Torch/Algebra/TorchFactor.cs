using System.Numerics;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Numerics;
using static TorchSharp.torch;

namespace MASQuant.Torch.Algebra;

/// <summary>L where libtorch keeps it, until the garbage collector finds that nothing holds it.</summary>
/// <param name="lower">[K, K], owned.</param>
internal sealed class TorchFactor<T>(Tensor lower) : TriangularFactor<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Tensor _lower = lower.DetachFromDisposeScope();
    private RealMatrix<T>? _here;

    public override RealMatrix<T> Lower => _here ??= TorchMatrix.ToMatrix<T>(_lower);

    public override RealMatrix<T> MultiplyTransposed<TB>(MatrixView<TB> b)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var product = TorchMatrix.ToMatrix<T>(TorchProducts.Multiply(_lower.t(), TorchMatrix.Copy<TB, T>(b, _lower.device)));
        GC.KeepAlive(_lower);
        return product;
    }

    public override void Solve(RealMatrix<T> b) => Solve(b, transposed: false);

    public override void SolveTransposed(RealMatrix<T> b) => Solve(b, transposed: true);

    // In blocks, as the factor was found.
    private void Solve(RealMatrix<T> matrix, bool transposed)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var b = TorchMatrix.Copy(matrix.View, _lower.device);
        var blocks = (matrix.Rows + TorchCholesky.Block - 1) / TorchCholesky.Block;
        for (var i = 0; i < blocks; i++)
        {
            using var step = NewDisposeScope();
            var start = (transposed ? blocks - 1 - i : i) * TorchCholesky.Block;
            var end = Math.Min(start + TorchCholesky.Block, matrix.Rows);
            TorchProducts.SolveFromLeft(_lower[start..end, start..end], transposed, b[start..end]);
            if (transposed && start > 0)
            {
                TorchProducts.Accumulate(_lower[start..end, ..start].t(), b[start..end], b[..start], subtract: true);
            }
            else if (!transposed && end < matrix.Rows)
            {
                TorchProducts.Accumulate(_lower[end.., start..end], b[start..end], b[end..], subtract: true);
            }
        }

        TorchMatrix.CopyTo(b, matrix);
        GC.KeepAlive(_lower);
    }
}
