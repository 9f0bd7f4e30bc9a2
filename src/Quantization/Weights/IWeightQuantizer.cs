namespace MASQuant.Quantization.Weights;

/// <summary>Q_w: chooses scales and codes for the weights of one input group.</summary>
internal interface IWeightQuantizer
{
    /// <summary>Lets go of what was prepared, K² values and more; nothing can be quantized afterwards.</summary>
    void Release();

    /// <summary>Quantizes one weight.</summary>
    /// <param name="weight">s_b ⊙ W, [N, K].</param>
    /// <param name="scheme">Bits and granularity.</param>
    /// <param name="cancellationToken">Ends the work early.</param>
    /// <exception cref="MASQuantException">MASQ0511: a value is not finite.</exception>
    WeightCodes Quantize(Matrix weight, QuantizationScheme scheme, CancellationToken cancellationToken = default);
}
