using System.Numerics;
using MASQuant.Diagnostics;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>T_m with TᵀT = C, the damped Gram matrix of X_m/s_m. Any such T gives the same patch (paper, Theorem 2), so the cheapest one is taken: Lᵀ of the Cholesky factor.</summary>
internal abstract class WhiteningTransform<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The λ that was used.</summary>
    public double Damping { get; private protected init; }

    /// <summary>Factors C + λ·mean(diag C)·I: by Cholesky, and when that fails for every λ allowed, by eigendecomposition.</summary>
    /// <param name="gram">C of X_m, or of X_m/s_m when there is no <paramref name="factor"/>; taken over.</param>
    /// <param name="options">λ.</param>
    /// <param name="compute">Factors.</param>
    /// <param name="factor">s_m, by which <paramref name="gram"/> is still to be smoothed, or null.</param>
    /// <exception cref="MASQuantException">MASQ0512: the matrix holds values that are not finite.</exception>
    public static WhiteningTransform<T> Create(GramMatrix<T> gram, WhiteningOptions options, ICompute compute, SmoothingFactor? factor = null)
    {
        foreach (var value in gram.Lower.Data)
        {
            if (!T.IsFinite(value))
            {
                throw new MASQuantException(DiagnosticCodes.GramNotFactorable, null,
                    "The activations of a layer are so large that their products overflow. Check the checkpoint for damaged weights.");
            }
        }

        factor?.SmoothInPlace(gram);
        return DampedFactor.TryFactor(compute, gram.Lower, options.Damping, options.Retries, out var damping) is { } lower
            ? new CholeskyWhitening<T>(lower, damping)
            : new EigenWhitening<T>(gram, options.Damping);
    }

    /// <summary>T·B as a new matrix.</summary>
    /// <param name="b">[K, n].</param>
    public abstract RealMatrix<T> Apply<TB>(MatrixView<TB> b)
        where TB : unmanaged, IBinaryFloatingPointIeee754<TB>;

    /// <summary>T⁻¹·B; may overwrite <paramref name="b"/>, [K, n].</summary>
    public abstract RealMatrix<T> Solve(RealMatrix<T> b);

    /// <summary>T⁻ᵀ·B; may overwrite <paramref name="b"/>, [K, n].</summary>
    public abstract RealMatrix<T> SolveTransposed(RealMatrix<T> b);

    /// <summary>X·Tᵀ, [p, K], for a few rows.</summary>
    /// <param name="x">[p, K].</param>
    public abstract RealMatrix<double> ApplyToRows(RealMatrix<double> x);

    /// <summary>X·T, [p, K], for a few rows.</summary>
    /// <param name="x">[p, K].</param>
    public abstract RealMatrix<double> ApplyTransposedToRows(RealMatrix<double> x);
}
