namespace MASQuant.Cuda.Gemm;

/// <summary>How the GEMM kernels find a weight in device memory; see docs/cuda.md for the orders.</summary>
public enum WeightFormat
{
    /// <summary>4-bit codes, one scale per output, int8 or 4-bit tokens: 4-bit weights with quantized activations.</summary>
    Int4,

    /// <summary>8-bit codes, one scale per output, int8 tokens: 8-bit weights.</summary>
    Int8,

    /// <summary>4-bit codes, zero points and scales per 128 inputs, BF16 tokens: W4A16.</summary>
    Int4Groups,

    /// <summary>BF16 values, BF16 tokens.</summary>
    BFloat16,
}
