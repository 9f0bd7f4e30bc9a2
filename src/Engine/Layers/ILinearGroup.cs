namespace MASQuant.Engine.Layers;

/// <summary>The linear layers of one step of a block, evaluated together so that their shared input is prepared once. The seam between the decoder and full-precision, quantized or observed layers.</summary>
public interface ILinearGroup
{
    /// <summary>Computes every layer of the group: <c>outputs[i] = x · W_iᵀ + b_i</c>.</summary>
    /// <param name="x">[T, K] activations.</param>
    /// <param name="modalities">T entries, the modality of each row of <paramref name="x"/>.</param>
    /// <param name="outputs">One [T, N_i] matrix per layer, in their order; overwritten.</param>
    void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs);
}
