using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>What smooths each token: its modality and that modality's 1/s_m.</summary>
/// <param name="Modalities">[M] bytes, values of <see cref="Modality"/>; null: all text.</param>
/// <param name="Text">[K] FP32; null: ones.</param>
/// <param name="Vision">As <paramref name="Text"/>.</param>
/// <param name="Audio">As <paramref name="Text"/>.</param>
public readonly record struct TokenSmoothing(DevicePointer Modalities, DevicePointer Text, DevicePointer Vision, DevicePointer Audio);
