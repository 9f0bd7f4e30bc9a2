using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm;

/// <summary>Executes quantized matrix products on the processor. <c>ScalarGemmBackend</c> defines the result; every other backend equals it.</summary>
public interface IGemmBackend
{
    /// <summary>Smooths, rotates and quantizes the input of an input group, once for all its layers: Q_a(X_m / s_m · H) with one scale per token (paper Eq. 29, first factor).</summary>
    /// <param name="x">[M, K] activations.</param>
    /// <param name="modalities">M entries.</param>
    /// <param name="input">The factors and the rotation.</param>
    /// <param name="scheme">Gives the activation range.</param>
    /// <param name="tokens">Receives the result; its buffers are reused.</param>
    void Prepare(Matrix x, ModalityMap modalities, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens);

    /// <summary>As <see cref="Prepare(Matrix, ModalityMap, InputTransform, QuantizationScheme, PreparedTokens)"/>, of rows that are computed when they are asked for; here all of them first.</summary>
    /// <param name="x">[M, K] activations.</param>
    /// <param name="modalities">M entries.</param>
    /// <param name="input">The factors and the rotation.</param>
    /// <param name="scheme">Gives the activation range.</param>
    /// <param name="tokens">Receives the result; its buffers are reused.</param>
    void Prepare(IInputRows x, ModalityMap modalities, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens)
    {
        var rows = new Matrix(x.Rows, x.Columns);
        for (var row = 0; row < x.Rows; row++)
        {
            x.Write(row, rows.Row(row));
        }

        Prepare(rows, modalities, input, scheme, tokens);
    }

    /// <summary>Y = Q_a(Z_m) · Q_w(s_b ⊙ W · H)ᵀ + Z_m · L1_m · L2_m + bias with Z_m = X_m / s_m · H (paper Eq. 29).</summary>
    /// <param name="tokens">The prepared input, [M, K].</param>
    /// <param name="weight">[N, K].</param>
    /// <param name="y">[M, N], overwritten.</param>
    void Multiply(PreparedTokens tokens, QuantizedWeight weight, Matrix y);

    /// <summary>As <see cref="Prepare(Matrix, ModalityMap, InputTransform, QuantizationScheme, PreparedTokens)"/>, of rows in any memory; here by a copy.</summary>
    /// <param name="x">[M, K] activations, row after row.</param>
    /// <param name="inputs">K.</param>
    /// <param name="modalities">M entries.</param>
    /// <param name="input">The factors and the rotation.</param>
    /// <param name="scheme">Gives the activation range.</param>
    /// <param name="tokens">Receives the result; its buffers are reused.</param>
    void Prepare(ReadOnlySpan<float> x, int inputs, ModalityMap modalities, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens)
    {
        GemmChecks.Input(x.Length, inputs, modalities);
        Prepare(new Matrix(modalities.Count, inputs, x.ToArray()), modalities, input, scheme, tokens);
    }

    /// <summary>As <see cref="Multiply(PreparedTokens, QuantizedWeight, Matrix)"/>, into rows in any memory; here by a copy.</summary>
    /// <param name="tokens">The prepared input, [M, K].</param>
    /// <param name="weight">[N, K].</param>
    /// <param name="y">[M, N], row after row, overwritten.</param>
    void Multiply(PreparedTokens tokens, QuantizedWeight weight, Span<float> y)
    {
        GemmChecks.Output(y.Length, tokens.Tokens, weight.Outputs);
        var rows = new Matrix(tokens.Tokens, weight.Outputs);
        Multiply(tokens, weight, rows);
        rows.Span.CopyTo(y);
    }
}
