using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>Prepared tokens as the GEMM kernels read them.</summary>
/// <param name="Rows">[M, stride]: codes, or BF16 values for formats that do not quantize activations.</param>
/// <param name="Stride">Values from row to row: K rounded up to 64; what lies behind K is zero.</param>
/// <param name="Scales">[M] FP32; null with BF16 values.</param>
/// <param name="Modalities">[M] bytes; null: all text.</param>
/// <param name="Count">M.</param>
/// <param name="Order">How codes lie; BF16 values lie in rows.</param>
public readonly record struct TokenPointers(DevicePointer Rows, int Stride, DevicePointer Scales, DevicePointer Modalities, int Count, TokenOrder Order = TokenOrder.Rows);
