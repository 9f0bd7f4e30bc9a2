using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>What the one stored weight should be, given the patches: with Z_m = X_m/s_m and R_m the output error of the weight B₀ without patches, the B that minimises
/// Σ_m λ_m/T_m·‖R_m − Z_m·(L1·L2)_m − Z_m·(B − B₀)ᵀ‖² + δ·‖B − s_b⊙W‖². Text has no patch, so B also carries what text's outputs lack by rounded activations and earlier blocks.</summary>
internal abstract class BaseRegression
{
    /// <summary>Prepares one input group.</summary>
    /// <param name="statistics">Its inputs.</param>
    /// <param name="factors">Its smoothing factors.</param>
    /// <param name="weights">λ_m, indexed by <see cref="Modality"/>.</param>
    /// <param name="damping">δ as a share of the mean of diag Σ_m λ_m/T_m·Z_mᵀZ_m.</param>
    /// <param name="compute">Factors and solves; null for managed code.</param>
    public static BaseRegression Create(ActivationStatistics statistics, SmoothingFactors factors, IReadOnlyList<double> weights, double damping, ICompute? compute = null)
        => statistics.Inputs <= GramMatrix.MaxWideInputs
            ? new BaseRegression<double>(statistics, factors, weights, damping, compute ?? ManagedCompute.Instance)
            : new BaseRegression<float>(statistics, factors, weights, damping, compute ?? ManagedCompute.Instance);

    /// <summary>B for each layer of the group, [N, K].</summary>
    /// <param name="fit">B₀ and the patches, with residuals of every modality.</param>
    /// <param name="weights">s_b⊙W of each layer, [N, K].</param>
    public abstract Matrix[] Targets(GroupFit fit, IReadOnlyList<Matrix> weights);
}
