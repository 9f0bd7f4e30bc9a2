using MASQuant.Tensors;

namespace MASQuant.Gemm;

/// <summary>FP32 matrix products with one defined result: each output accumulates along K in ascending order with fused multiply-add, in blocks of <see cref="BlockInputs"/> whose sums are added in order, so that neither the thread count nor the vector width changes a bit.</summary>
public static class FloatGemm
{
    /// <summary>The block of K after which an accumulator is added to the output.</summary>
    public const int BlockInputs = 512;

    /// <summary>C[M, N] = A[M, K] · B[N, K]ᵀ (+ bias[N] when not empty).</summary>
    public static void MultiplyTransposed(Matrix a, Matrix b, ReadOnlySpan<float> bias, Matrix c)
    {
        for (var m = 0; m < a.Rows; m++)
        {
            for (var n = 0; n < b.Rows; n++)
            {
                c[m, n] = Dot(a.Row(m), b.Row(n)) + (bias.IsEmpty ? 0f : bias[n]);
            }
        }
    }

    /// <summary>Y[M, N] = X[M, K] · W[N, K]ᵀ (+ bias[N] when not empty), on all <see cref="Workers"/>.</summary>
    public static void Multiply(Matrix x, DenseWeight weight, ReadOnlySpan<float> bias, Matrix y) => MultiplyTransposed(x, weight.Values, bias, y);

    /// <summary>C[m, n] = A[m, k] · B[n, k]ᵀ for strided rows, on the calling thread.</summary>
    public static void MultiplyNT(int m, int n, int k, ReadOnlySpan<float> a, int strideA, ReadOnlySpan<float> b, int strideB, Span<float> c, int strideC)
    {
        for (var row = 0; row < m; row++)
        {
            for (var column = 0; column < n; column++)
            {
                c[(row * strideC) + column] = Dot(a.Slice(row * strideA, k), b.Slice(column * strideB, k));
            }
        }
    }

    /// <summary>C[m, n] = A[m, k] · B[k, n] for strided rows, on the calling thread.</summary>
    public static void MultiplyNN(int m, int n, int k, ReadOnlySpan<float> a, int strideA, ReadOnlySpan<float> b, int strideB, Span<float> c, int strideC)
    {
        Span<float> column = new float[k];
        for (var j = 0; j < n; j++)
        {
            for (var i = 0; i < k; i++)
            {
                column[i] = b[(i * strideB) + j];
            }

            for (var row = 0; row < m; row++)
            {
                c[(row * strideC) + j] = Dot(a.Slice(row * strideA, k), column);
            }
        }
    }

    /// <summary>Σ_k a[k]·b[k] in the defined order.</summary>
    internal static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var total = 0f;
        for (var start = 0; start < a.Length; start += BlockInputs)
        {
            var sum = 0f;
            var end = Math.Min(start + BlockInputs, a.Length);
            for (var k = start; k < end; k++)
            {
                sum = MathF.FusedMultiplyAdd(a[k], b[k], sum);
            }

            total += sum;
        }

        return total;
    }
}
