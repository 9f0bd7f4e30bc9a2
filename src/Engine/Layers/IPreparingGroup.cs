using MASQuant.Engine.Gemm;

namespace MASQuant.Engine.Layers;

/// <summary>A group that prepares its input row by row, and so takes rows that are computed at that moment.</summary>
internal interface IPreparingGroup
{
    /// <summary>As <see cref="ILinearGroup.Forward"/>, to the same bits.</summary>
    /// <param name="x">[T, K] activations.</param>
    /// <param name="modalities">T entries.</param>
    /// <param name="outputs">One [T, N_i] matrix per layer, in their order; overwritten.</param>
    void Forward(IInputRows x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs);
}
