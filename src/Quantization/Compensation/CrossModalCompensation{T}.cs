using System.Numerics;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary><see cref="CrossModalCompensation"/> in the precision of its Gram matrix.</summary>
internal sealed class CrossModalCompensation<T> : CrossModalCompensation
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Piece = 64;
    private readonly CompensationOptions _options;
    private readonly WhiteningTransform<T> _whitening;
    private readonly double _ridge;

    public CrossModalCompensation(GramMatrix<T> gram, CompensationOptions options, SmoothingFactor? factor)
    {
        _options = options;
        var damping = Math.Max(options.Whitening.Damping, options.PriorTokens / gram.Tokens);
        var mean = MeanDiagonal(gram, factor);
        _whitening = WhiteningTransform<T>.Create(gram, options.Whitening with { Damping = damping }, options.Compute, factor);
        _ridge = _whitening.Damping * mean;
    }

    // ‖(X/s)·E‖ = ‖T·E‖, so the best rank-r L1·L2 is T⁻¹ times the truncated decomposition of T·ΔWᵀ.
    public override Patch Compensate(Matrix residual, int rank) => Fit(_whitening.Apply(residual.View().Transposed), rank);

    public override Patch Compensate(OutputResidual residual, Matrix prior, int rank)
        => Fit(Whitened(((OutputResidual<T>)residual).CrossProduct.Copy(), prior), rank);

    // With E = L1·L2: −2·⟨P, E⟩ + ‖Z·E‖², and ‖Z·E‖² = ‖T·E‖² − δ·‖E‖².
    public override double Change(OutputResidual residual, LowRankFactors patch)
    {
        var (l1, l2) = (patch.L1.View(), patch.L2.View());
        var product = ((OutputResidual<T>)residual).CrossProduct.View;
        var across = RowProducts.Dots(RowProducts.Sums(RealMatrix<T>.From(l1.Transposed), product), RealMatrix<T>.From(l2).View);
        var whitened = _whitening.Apply(l1);
        var left = RealGemm.Multiply<T, T, double>(whitened.View.Transposed, whitened.View);
        var plain = RealGemm.Multiply<float, float, double>(l1.Transposed, l1);
        var right = RealGemm.Multiply<float, float, double>(l2, l2.Transposed);
        var change = 0.0;
        for (var i = 0; i < patch.Rank; i++)
        {
            change -= 2 * double.CreateTruncating(across[i, i]);
            for (var j = 0; j < patch.Rank; j++)
            {
                change += (left[i, j] - (_ridge * plain[i, j])) * right[i, j];
            }
        }

        return change;
    }

    public override double[] Gains(OutputResidual residual, int rank)
        => [.. _options.Compute.Decompose(_whitening.SolveTransposed(((OutputResidual<T>)residual).CrossProduct.Copy()).View, rank, _options.Decomposition).Values.Select(value => value * value)];

    public override (Spectrum Plain, Spectrum Whitened) Spectra(Matrix residual) => (
        Spectrum.Of(residual.View()),
        Math.Min(residual.Rows, residual.Columns) <= Spectrum.MaxExact
            ? new Spectrum(SingularValues.Of(_whitening.Apply(residual.View().Transposed).View))
            : SpectrumEstimate.Of(new WhitenedGram<T>(_whitening, residual)));

    // With TᵀT = ZᵀZ + δ: ‖R − Z·B‖² + δ·‖ΔWᵀ − B‖² = const + ‖T⁻ᵀ·(P + δ·ΔWᵀ) − T·B‖², by completing the square.
    private RealMatrix<T> Whitened(RealMatrix<T> product, Matrix prior)
    {
        // In square pieces: one of the two matrices is read across its rows.
        Workers.For((product.Rows + Piece - 1) / Piece, piece =>
        {
            var (first, last) = (piece * Piece, Math.Min(product.Rows, (piece + 1) * Piece));
            for (var start = 0; start < product.Columns; start += Piece)
            {
                for (var n = start; n < Math.Min(product.Columns, start + Piece); n++)
                {
                    var row = prior.Row(n);
                    for (var k = first; k < last; k++)
                    {
                        product[k, n] += T.CreateTruncating(_ridge * row[k]);
                    }
                }
            }
        });

        return _whitening.SolveTransposed(product);
    }

    // Of the smoothed matrix.
    private static double MeanDiagonal(GramMatrix<T> gram, SmoothingFactor? factor)
    {
        var sum = 0.0;
        for (var k = 0; k < gram.Inputs; k++)
        {
            var scale = factor is null ? 1.0 : factor.Inverse[k];
            sum += double.CreateTruncating(gram.Lower[k, k]) * scale * scale;
        }

        return sum / gram.Inputs;
    }

    /// <summary>L1 = T⁻¹·U_r and L2 = Σ_r·V_rᵀ of what L1·L2 has to match in the whitened space, [K, N].</summary>
    private Patch Fit(RealMatrix<T> whitened, int rank)
    {
        var energy = 0.0;
        foreach (var value in whitened.Data)
        {
            energy += double.CreateTruncating(value * value);
        }

        rank = Math.Min(rank, Math.Min(whitened.Rows, whitened.Columns));
        if (rank == 0 || energy == 0)
        {
            return new Patch(null, energy, 0);
        }

        var triples = _options.Compute.Decompose(whitened.View, rank, _options.Decomposition);
        for (var i = 0; i < rank; i++)
        {
            Lanes.Scale(T.CreateTruncating(triples.Values[i]), triples.RightRows.Row(i));
        }

        var left = _whitening.Solve(RealMatrix<T>.From(triples.LeftRows.View.Transposed));
        var factors = FactorRounding.Round(left, triples.RightRows, _options.RoundToFloat16);
        return new Patch(factors, energy, triples.Values.Sum(value => value * value));
    }
}
