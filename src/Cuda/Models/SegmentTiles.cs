using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Models;

/// <summary>The queries of segments on a device, as attention takes them.</summary>
/// <param name="Tiles">[<paramref name="Count"/>, 4] of <see cref="Gemm.TowerKernels.Tiles"/>.</param>
/// <param name="Count">How many tiles.</param>
internal readonly record struct SegmentTiles(DevicePointer Tiles, int Count);
