using MASQuant.Engine.Layers;

namespace MASQuant.Quantization.Calibration;

/// <summary>Leaves outputs as they are: stands for groups whose outputs nobody reads, behind the one that is observed.</summary>
internal sealed class SkippedLinearGroup : ILinearGroup
{
    public static SkippedLinearGroup Instance { get; } = new();

    /// <inheritdoc/>
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
    }
}
