using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Models;

/// <summary>Rows of media that are added behind a decoder's first blocks.</summary>
/// <param name="Sources">[M] 32 bits: which row is added to each token, as <c>TokenKernels.Embed</c> takes them; null: no token is of a medium.</param>
/// <param name="Rows">[levels, rows, H] FP32.</param>
/// <param name="Count">Rows of a level.</param>
/// <param name="Columns">H.</param>
internal readonly record struct DeviceDeepstack(DevicePointer Sources, DevicePointer Rows, int Count, int Columns)
{
    /// <summary>The rows of a level.</summary>
    public DevicePointer Level(int level) => Rows + ((long)level * Count * Columns * sizeof(float));
}
