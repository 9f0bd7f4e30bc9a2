namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>What a panel's bytes hold for <see cref="ByteKernelVnni512"/>, which multiplies unsigned weights.</summary>
internal enum ByteForm
{
    /// <summary>Unsigned weights, [K/4][16][4], that were unpacked into the cache.</summary>
    Unpacked,

    /// <summary>Signed 8-bit codes as they are stored; the kernel adds 128.</summary>
    Signed,

    /// <summary>4-bit codes as they are stored, [K/8][16][4] pairs.</summary>
    Nibbles,
}
