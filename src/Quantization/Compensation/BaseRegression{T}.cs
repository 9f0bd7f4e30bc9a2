using System.Numerics;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary><see cref="BaseRegression"/> in the precision of its Gram matrices.</summary>
internal sealed class BaseRegression<T>(ActivationStatistics statistics, SmoothingFactors factors, IReadOnlyList<double> weights, double damping, ICompute compute) : BaseRegression
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Retries = 6;

    // The normal equations for D = B − B₀: (Σ w·G + δ)·Dᵀ = Σ w·(P − G·L1·L2) + δ·(s_b⊙W − B₀)ᵀ.
    public override Matrix[] Targets(GroupFit fit, IReadOnlyList<Matrix> scaled)
    {
        var sides = Sides(fit);
        var sum = (GramMatrix<T>)statistics.SmoothedGram(factors, [.. weights]);
        var mean = sum.MeanDiagonal;
        return DampedFactor.TryFactor(compute, sum.Lower, damping, Retries, out var used) is { } lower
            ? [.. sides.Select((side, i) => Solve(lower, side, used * mean, fit.Codes[i].Dequantize(), scaled[i]))]
            : [.. scaled];
    }

    // Σ w·(P − G·L1·L2) of each layer, [K, N].
    private RealMatrix<T>[] Sides(GroupFit fit)
    {
        var sides = fit.Codes.Select(codes => new RealMatrix<T>(codes.Inputs, codes.Outputs)).ToArray();
        foreach (var modality in Weighted())
        {
            var gram = Gram(modality);
            for (var i = 0; i < sides.Length; i++)
            {
                var error = ((OutputResidual<T>)fit.Residuals[i][(int)modality]!).CrossProduct.Copy();
                if (fit.Patches[i].Factors[(int)modality] is { } patch)
                {
                    RealGemm.Accumulate(RealGemm.Multiply<T, float, T>(gram.View, patch.L1.View()).View, patch.L2.View(), error.View, subtract: true);
                }

                Lanes.AddScaled<T>(T.CreateTruncating(Weight(modality)), error.Data, sides[i].Data);
            }
        }

        return sides;
    }

    private static Matrix Solve(TriangularFactor<T> lower, RealMatrix<T> side, double ridge, Matrix stored, Matrix scaled)
    {
        for (var n = 0; n < stored.Rows; n++)
        {
            for (var k = 0; k < stored.Columns; k++)
            {
                side[k, n] += T.CreateTruncating(ridge * ((double)scaled[n, k] - stored[n, k]));
            }
        }

        lower.Solve(side);
        lower.SolveTransposed(side);
        for (var n = 0; n < stored.Rows; n++)
        {
            for (var k = 0; k < stored.Columns; k++)
            {
                stored[n, k] += float.CreateTruncating(side[k, n]);
            }
        }

        return stored;
    }

    private IEnumerable<Modality> Weighted() => Enum.GetValues<Modality>().Where(m => statistics.TokenCount(m) > 0 && weights[(int)m] > 0);

    private double Weight(Modality modality) => weights[(int)modality] / statistics.TokenCount(modality);

    // Both triangles.
    private RealMatrix<T> Gram(Modality modality)
    {
        var gram = ((GramMatrix<T>)factors[modality].Smooth(statistics.Gram(modality)!)).Lower;
        gram.MirrorLower();
        return gram;
    }
}
