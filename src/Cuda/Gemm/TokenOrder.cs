namespace MASQuant.Cuda.Gemm;

/// <summary>How the codes of tokens lie, which decides what kernels multiply them; see docs/cuda.md. The numbers are those of prepare.cu.</summary>
public enum TokenOrder
{
    /// <summary>[M, Kp] bytes: every kernel of 8-bit codes.</summary>
    Rows = 0,

    /// <summary>[M / 256][K / 128][256][128 bytes], both rounded up, as Hopper's kernels copy them.</summary>
    Tiles = 1,

    /// <summary>[M, Kp] halves of bytes, packed as a 4-bit weight is: the 4-bit MMA.</summary>
    Nibbles = 2,
}
