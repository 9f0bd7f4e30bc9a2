using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm;

/// <summary>Executes quantized matrix products on the processor. <c>ScalarGemmBackend</c> defines the result; every other backend equals it.</summary>
public interface IGemmBackend
{
    /// <summary>Smooths and quantizes the input of an input group, once for all its layers: Q_a(X_m / s_m) with one scale per token (paper Eq. 29, first factor).</summary>
    /// <param name="x">[M, K] activations.</param>
    /// <param name="modalities">M entries.</param>
    /// <param name="inverseSmoothing">1/s_m, K values for each modality, indexed by <see cref="Modality"/>; an empty array stands for ones.</param>
    /// <param name="scheme">Gives the activation range.</param>
    /// <param name="tokens">Receives the result; its buffers are reused.</param>
    void Prepare(Matrix x, ModalityMap modalities, IReadOnlyList<float[]> inverseSmoothing, QuantizationScheme scheme, PreparedTokens tokens);

    /// <summary>Y = Q_a(X_m / s_m) · Q_w(s_b ⊙ W)ᵀ + (X_m / s_m) · L1_m · L2_m + bias (paper Eq. 29).</summary>
    /// <param name="tokens">The prepared input, [M, K].</param>
    /// <param name="weight">[N, K].</param>
    /// <param name="y">[M, N], overwritten.</param>
    void Multiply(PreparedTokens tokens, QuantizedWeight weight, Matrix y);
}
