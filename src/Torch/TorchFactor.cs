using System.Numerics;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace MASQuant.Torch;

/// <summary>L where libtorch keeps it.</summary>
/// <param name="lower">[K, K], owned.</param>
internal sealed class TorchFactor<T>(Tensor lower) : TriangularFactor<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Tensor _lower = lower.DetachFromDisposeScope();
    private RealMatrix<T>? _here;

    ~TorchFactor() => _lower.Dispose();

    public override RealMatrix<T> Lower => _here ??= TorchMatrix.ToMatrix<T>(_lower);

    public override RealMatrix<T> MultiplyTransposed<TB>(MatrixView<TB> b)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        return TorchMatrix.ToMatrix<T>(_lower.t().mm(TorchMatrix.Shared(b).to(_lower.dtype, _lower.device)));
    }

    public override void Solve(RealMatrix<T> b) => Solve(b, transposed: false);

    public override void SolveTransposed(RealMatrix<T> b) => Solve(b, transposed: true);

    // In blocks, as the factor was found.
    private void Solve(RealMatrix<T> matrix, bool transposed)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var b = TorchMatrix.Shared(matrix).to(_lower.device);
        var blocks = (matrix.Rows + TorchCholesky.Block - 1) / TorchCholesky.Block;
        for (var i = 0; i < blocks; i++)
        {
            using var step = NewDisposeScope();
            var start = (transposed ? blocks - 1 - i : i) * TorchCholesky.Block;
            var end = Math.Min(start + TorchCholesky.Block, matrix.Rows);
            var diagonal = _lower[start..end, start..end];
            using (LapackThreads.One(_lower.device))
            {
                b[start..end].copy_(linalg.solve_triangular(transposed ? diagonal.t() : diagonal, b[start..end], upper: transposed));
            }

            if (transposed && start > 0)
            {
                b[..start].sub_(_lower[start..end, ..start].t().mm(b[start..end]));
            }
            else if (!transposed && end < matrix.Rows)
            {
                b[end..].sub_(_lower[end.., start..end].mm(b[start..end]));
            }
        }

        if (_lower.device.type != DeviceType.CPU)
        {
            TorchMatrix.Copy(b, matrix);
        }
    }
}
