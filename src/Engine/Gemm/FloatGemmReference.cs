
namespace MASQuant.Engine.Gemm;

/// <summary>The definition of an FP32 product's result, one output at a time. Slow; tests compare every kernel with it bit for bit.</summary>
internal static class FloatGemmReference
{
    /// <summary>The block of K after which an accumulator is added to the output.</summary>
    public const int BlockInputs = 512;

    /// <summary>C[m, n] = A · B, or C += A · B; the value of A's row i, input k lies at <c>a[i·rowStrideA + k·depthStrideA]</c>, B's output j, input k at <c>b[j·outputStrideB + k·depthStrideB]</c>.</summary>
    public static void Multiply(
        int m, int n, int k,
        ReadOnlySpan<float> a, int rowStrideA, int depthStrideA,
        ReadOnlySpan<float> b, int outputStrideB, int depthStrideB,
        Span<float> c, int strideC, bool accumulate = false)
    {
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var total = 0f;
                for (var start = 0; start < k; start += BlockInputs)
                {
                    var sum = 0f;
                    for (var input = start; input < Math.Min(start + BlockInputs, k); input++)
                    {
                        sum = MathF.FusedMultiplyAdd(a[(i * rowStrideA) + (input * depthStrideA)], b[(j * outputStrideB) + (input * depthStrideB)], sum);
                    }

                    total = start == 0 ? sum : total + sum;
                }

                ref var output = ref c[(i * strideC) + j];
                output = accumulate ? output + total : total;
            }
        }
    }

    /// <summary>Σ_k a[k]·b[k] in the defined order.</summary>
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Span<float> result = [0f];
        Multiply(1, 1, a.Length, a, a.Length, 1, b, b.Length, 1, result, 1);
        return result[0];
    }
}
