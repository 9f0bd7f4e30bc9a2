namespace MASQuant.Gemm.Cuda;

/// <summary>Prepared tokens as the GEMM kernels read them.</summary>
/// <param name="Rows">[M, stride]: int8 codes, or BF16 values for formats that do not quantize activations.</param>
/// <param name="Stride">Values from row to row: K rounded up to 64; what lies behind K is zero.</param>
/// <param name="Scales">[M] FP32; null with BF16 values.</param>
/// <param name="Modalities">[M] bytes; null: all text.</param>
/// <param name="Count">M.</param>
/// <param name="Interleaved">Codes in the order of Hopper's MMA: within 64 inputs, 4-byte word 4t + 2s + h at place 8s + 4h + t.</param>
internal readonly record struct TokenPointers(DevicePointer Rows, int Stride, DevicePointer Scales, DevicePointer Modalities, int Count, bool Interleaved = false);
