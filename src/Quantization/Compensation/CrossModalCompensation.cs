using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Weights;

namespace MASQuant.Quantization.Compensation;

/// <summary>CMC: low-rank patches for the tokens of one modality in one input group (paper, Eq. 22–28). The whitening is made once and serves every layer of the group.</summary>
internal abstract class CrossModalCompensation
{
    /// <summary>Whitens.</summary>
    /// <param name="gram">C = (X_m/s_m)ᵀ(X_m/s_m), or null when calibration saw no token of the modality; taken over.</param>
    /// <param name="options">Damping and accuracy.</param>
    /// <param name="factor">s_m, when <paramref name="gram"/> is X_mᵀX_m and still to be smoothed; otherwise null.</param>
    /// <returns>Null when there is nothing to fit to.</returns>
    public static CrossModalCompensation? Create(GramMatrix? gram, CompensationOptions options, SmoothingFactor? factor = null) => gram switch
    {
        null or { Tokens: 0 } => null,
        GramMatrix<double> wide => new CrossModalCompensation<double>(wide, options, factor),
        _ => new CrossModalCompensation<float>((GramMatrix<float>)gram, options, factor),
    };

    /// <summary>ΔW_m = s_m ⊙ W − Q_w(s_b ⊙ W), [N, K] (paper, Eq. 22).</summary>
    public static Matrix Residual(Matrix weight, SmoothingFactor factor, WeightCodes codes)
    {
        var residual = factor.ScaleWeight(weight);
        codes.SubtractFrom(residual);
        return residual;
    }

    /// <summary>The patch that minimises ‖(X_m/s_m)(ΔWᵀ − L1·L2)‖ (paper, Theorem 2).</summary>
    /// <param name="residual">ΔW_m, [N, K].</param>
    /// <param name="rank">r, at most min(N, K).</param>
    public abstract Patch Compensate(Matrix residual, int rank);

    /// <summary>The patch that minimises ‖R − (X_m/s_m)·L1·L2‖² + δ·‖ΔW_mᵀ − L1·L2‖²: reduced-rank ridge regression on the true output error.
    /// δ, the whitening's damping, is the energy of <see cref="CompensationOptions.PriorTokens"/> tokens, spread evenly over the channels: without data the patch is that of the weight residual, which needs none.</summary>
    /// <param name="residual">P and ‖R‖².</param>
    /// <param name="prior">ΔW_m, [N, K].</param>
    /// <param name="rank">r, at most min(N, K).</param>
    public abstract Patch Compensate(OutputResidual residual, Matrix prior, int rank);

    /// <summary>‖R − (X_m/s_m)·L1·L2‖² − ‖R‖²: what a patch changes in the squared error, without another pass over the tokens.</summary>
    /// <param name="residual">P.</param>
    /// <param name="patch">L1 and L2 as they are stored.</param>
    public abstract double Change(OutputResidual residual, LowRankFactors patch);

    /// <summary>σ² of what a regression without prior has to match in the whitened space, the largest first: what each rank takes from ‖R‖².</summary>
    /// <param name="residual">P and ‖R‖².</param>
    /// <param name="rank">How many, at most min(N, K).</param>
    public abstract double[] Gains(OutputResidual residual, int rank);

    /// <summary>The singular values of ΔW and of T·ΔWᵀ.</summary>
    /// <param name="residual">ΔW_m, [N, K].</param>
    public abstract (Spectrum Plain, Spectrum Whitened) Spectra(Matrix residual);
}
