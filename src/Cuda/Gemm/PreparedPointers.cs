using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>Where prepared tokens go. Rows are <paramref name="Stride"/> values apart; the values behind K are zero.</summary>
/// <param name="Codes">[M, stride] in the order asked for; null when activations are not quantized.</param>
/// <param name="Scales">[M] FP32, one per token.</param>
/// <param name="Smoothed">[M, stride] BF16: X / s_m, for patches and for W4A16; null when nobody reads it.</param>
/// <param name="Stride">K rounded up to <see cref="PrepareKernels.InputMultiple"/>.</param>
/// <param name="Keep">Bit 1 &lt;&lt; m: rows of modality m are written to <paramref name="Smoothed"/>. The others are left as they are.</param>
/// <param name="Largest">The largest code: 127, 31 or 7.</param>
/// <param name="Order">How codes are written, zeros behind K included; rows of a tile behind M are left as they are. <see cref="TokenOrder.Nibbles"/>: <paramref name="Largest"/> is 7.</param>
public readonly record struct PreparedPointers(DevicePointer Codes, DevicePointer Scales, DevicePointer Smoothed, int Stride, int Keep, int Largest, TokenOrder Order = TokenOrder.Rows);
