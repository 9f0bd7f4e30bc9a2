using MASQuant.Tensors;

namespace MASQuant.Vision;

/// <summary>A vision tower, on the processor or on a device.</summary>
internal interface IVisionTower
{
    /// <inheritdoc cref="VisionTower.Forward(ImagePatches, CancellationToken)"/>
    Matrix Forward(ImagePatches image, CancellationToken cancellationToken = default);
}
