using MASQuant.Tensors;

namespace MASQuant.Audio;

/// <summary>An audio tower, on the processor or on a device.</summary>
internal interface IAudioTower
{
    /// <inheritdoc cref="AudioTower.Forward(Matrix, CancellationToken)"/>
    Matrix Forward(Matrix mel, CancellationToken cancellationToken = default);
}
