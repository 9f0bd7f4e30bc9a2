using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>How AVX2 kernels add four products of unsigned weights and signed tokens to a 32-bit sum.</summary>
internal interface IByteDot
{
    /// <summary>sum[i] + Σ_j weights[4i + j] · tokens[4i + j], exact modulo 2³².</summary>
    static abstract Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> tokens);
}

/// <summary>One <c>vpdpbusd</c>; any weights.</summary>
internal readonly struct VnniDot : IByteDot
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> tokens)
        => AvxVnni.MultiplyWideningAndAdd(sum, weights, tokens);
}

/// <summary><c>vpmaddubsw</c> and <c>vpmaddwd</c>; weights up to 15, beyond which 16-bit sums would saturate.</summary>
internal readonly struct PairDot : IByteDot
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> tokens)
        => sum + Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(weights, tokens), Vector256<short>.One);
}
