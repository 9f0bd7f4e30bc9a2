using MASQuant.Cuda.Device;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Gemm;

/// <summary>What smooths each token: its modality and that modality's 1/s_m, and what rotates it then.</summary>
/// <param name="Modalities">[M] bytes, values of <see cref="Modality"/>; null: all text.</param>
/// <param name="Text">[K] FP32; null: ones.</param>
/// <param name="Vision">As <paramref name="Text"/>.</param>
/// <param name="Audio">As <paramref name="Text"/>.</param>
/// <param name="Rotation">The block of the Hadamard rotation that follows (<see cref="InputTransform.RotationBlock"/>); 0: none.</param>
/// <param name="Clips">[3] FP32 by modality (<see cref="InputTransform.Clips"/>); null: ones.</param>
public readonly record struct TokenSmoothing(DevicePointer Modalities, DevicePointer Text, DevicePointer Vision, DevicePointer Audio, int Rotation = 0, DevicePointer Clips = default);
