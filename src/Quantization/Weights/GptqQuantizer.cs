using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Weights;

/// <summary>GPTQ (Frantar et al., 2023): every weight's rounding error is made up for by the weights of the same output that are still to be rounded, so that tr(E·H·Eᵀ), the error of the outputs, stays small.</summary>
internal abstract class GptqQuantizer : IWeightQuantizer
{
    /// <summary>Prepares the quantization of one input group.</summary>
    /// <param name="gram">H, as <c>ActivationStatistics.SmoothedGram</c> gives it; taken over.</param>
    /// <param name="options">Damping, order, clipping.</param>
    /// <exception cref="MASQuantException">MASQ0512: H cannot be factored.</exception>
    public static GptqQuantizer Create(GramMatrix gram, GptqOptions? options = null)
        => gram is GramMatrix<double> wide
            ? new GptqQuantizer<double>(wide, options ?? new())
            : new GptqQuantizer<float>((GramMatrix<float>)gram, options ?? new());

    public abstract void Release();

    public abstract WeightCodes Quantize(Matrix weight, QuantizationScheme scheme, CancellationToken cancellationToken = default);
}
