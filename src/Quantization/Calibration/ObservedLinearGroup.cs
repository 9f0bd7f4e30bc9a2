using MASQuant.Engine.Layers;

namespace MASQuant.Quantization.Calibration;

/// <summary>Passes an input group's activations to an observer on their way.</summary>
/// <param name="inner">The group that computes.</param>
/// <param name="observe">Receives the input X [T, K] and the outputs Y_i [T, N_i]; their buffers are reused after the call.</param>
internal sealed class ObservedLinearGroup(ILinearGroup inner, ObservedLinearGroup.Observer observe) : ILinearGroup
{
    /// <summary>Sees one evaluation of a group.</summary>
    public delegate void Observer(Matrix x, ReadOnlySpan<Matrix> outputs);

    /// <inheritdoc/>
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        inner.Forward(x, modalities, outputs);
        observe(x, outputs);
    }
}
