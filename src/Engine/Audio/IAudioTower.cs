namespace MASQuant.Engine.Audio;

/// <summary>An audio tower, on the processor or on a device.</summary>
public interface IAudioTower
{
    /// <inheritdoc cref="AudioTower.Forward(Matrix, CancellationToken)"/>
    Matrix Forward(Matrix mel, CancellationToken cancellationToken = default);
}
