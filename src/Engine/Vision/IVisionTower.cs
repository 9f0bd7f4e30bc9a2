using MASQuant.Engine.Vision.Preprocessing;

namespace MASQuant.Engine.Vision;

/// <summary>A vision tower, on the processor or on a device.</summary>
public interface IVisionTower
{
    /// <inheritdoc cref="VisionTower.Forward(ImagePatches, CancellationToken)"/>
    VisionTokens Forward(ImagePatches image, CancellationToken cancellationToken = default);
}
