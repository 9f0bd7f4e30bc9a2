using System.Numerics;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary><see cref="BaseRegression"/> in the precision of its Gram matrices.</summary>
internal sealed class BaseRegression<T>(ActivationStatistics statistics, SmoothingFactors factors, IReadOnlyList<double> weights, double damping) : BaseRegression
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Retries = 6;

    // The normal equations for D = B − B₀: (Σ w·G + δ)·Dᵀ = Σ w·(P − G·L1·L2) + δ·(s_b⊙W − B₀)ᵀ.
    public override Matrix[] Targets(GroupFit fit, IReadOnlyList<Matrix> scaled)
    {
        var sides = Sides(fit);
        var sum = (GramMatrix<T>)statistics.SmoothedGram(factors, [.. weights]);
        return DampedCholesky.TryFactor(sum.Lower.Copy, damping, Retries, out var used) is { } lower
            ? [.. sides.Select((side, i) => Solve(lower, side, used * sum.MeanDiagonal, fit.Codes[i].Dequantize(), scaled[i]))]
            : [.. scaled];
    }

    // With E = L1·L2: ‖R − Z·E‖² = ‖R‖² − 2·⟨P, E⟩ + tr(EᵀGE).
    public override (double Text, double All)[] Errors(GroupFit fit)
    {
        var errors = new (double Text, double All)[fit.Codes.Length];
        foreach (var modality in Weighted())
        {
            var gram = fit.Patches.Any(patches => patches.Factors[(int)modality] is not null) ? Gram(modality) : null;
            for (var i = 0; i < errors.Length; i++)
            {
                var residual = (OutputResidual<T>)fit.Residuals[i][(int)modality]!;
                var energy = residual.Energy + (fit.Patches[i].Factors[(int)modality] is { } patch ? Change(gram!, residual, patch) : 0);
                errors[i].All += Weight(modality) * energy;
                errors[i].Text = modality == Modality.Text ? energy / residual.Tokens : errors[i].Text;
            }
        }

        return errors;
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

    private static double Change(RealMatrix<T> gram, OutputResidual<T> residual, LowRankFactors patch)
    {
        var (l1, l2) = (patch.L1.View(), patch.L2.View());
        var across = RealGemm.Multiply<float, T, T>(l1.Transposed, RealGemm.Multiply<T, float, T>(residual.CrossProduct.View, l2.Transposed).View);
        var left = RealGemm.Multiply<float, T, T>(l1.Transposed, RealGemm.Multiply<T, float, T>(gram.View, l1).View);
        var right = RealGemm.Multiply<float, float, T>(l2, l2.Transposed);
        var change = 0.0;
        for (var i = 0; i < patch.Rank; i++)
        {
            change -= 2 * double.CreateTruncating(across[i, i]);
            for (var j = 0; j < patch.Rank; j++)
            {
                change += double.CreateTruncating(left[i, j] * right[i, j]);
            }
        }

        return change;
    }

    private static Matrix Solve(RealMatrix<T> lower, RealMatrix<T> side, double ridge, Matrix stored, Matrix scaled)
    {
        for (var n = 0; n < stored.Rows; n++)
        {
            for (var k = 0; k < stored.Columns; k++)
            {
                side[k, n] += T.CreateTruncating(ridge * ((double)scaled[n, k] - stored[n, k]));
            }
        }

        TriangularSolve.Lower(lower, side);
        TriangularSolve.LowerTransposed(lower, side);
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
