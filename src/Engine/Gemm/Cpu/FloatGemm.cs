using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>FP32 matrix products with one defined result: each output accumulates along K in ascending order with fused multiply-add, in blocks of <see cref="BlockInputs"/> whose sums are added in order, so that neither the thread count nor the vector width changes a bit. <see cref="FloatGemmReference"/> is that definition as code.</summary>
/// <remarks>Products with <c>accumulate</c> add the complete sum to C once. Operands must not overlap C.</remarks>
public static unsafe class FloatGemm
{
    /// <summary>The block of K after which an accumulator is added to the output.</summary>
    public const int BlockInputs = FloatGemmReference.BlockInputs;

    /// <summary>Y[M, N] = X[M, K] · W[N, K]ᵀ (+ bias[N] when not empty), on all <see cref="Workers"/>.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    public static void Multiply(Matrix x, DenseWeight weight, ReadOnlySpan<float> bias, Matrix y, CpuTarget? target = null)
    {
        Check(x.Columns == weight.Inputs && y.Columns == weight.Outputs && y.Rows == x.Rows && Fits(bias, weight.Outputs));
        fixed (float* xs = x.Data, ys = y.Data, biases = bias)
        {
            FloatProduct.Current.Left(xs, x.Columns, 1).Right(weight.Panels)
                .Into(ys, y.Columns, x.Rows, weight.Outputs, weight.Inputs, biases, accumulate: false, threaded: true, target);
        }

        GC.KeepAlive(weight);
    }

    /// <summary>C[M, N] = A[M, K] · B[N, K]ᵀ (+ bias[N] when not empty), on all <see cref="Workers"/>.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    public static void MultiplyTransposed(Matrix a, Matrix b, ReadOnlySpan<float> bias, Matrix c, CpuTarget? target = null)
    {
        Check(a.Columns == b.Columns && c.Rows == a.Rows && c.Columns == b.Rows && Fits(bias, b.Rows));
        fixed (float* left = a.Data, right = b.Data, output = c.Data, biases = bias)
        {
            FloatProduct.Current.Left(left, a.Columns, 1).Right(right, b.Columns, 1)
                .Into(output, c.Columns, a.Rows, b.Rows, a.Columns, biases, accumulate: false, threaded: true, target);
        }
    }

    /// <summary>C[M, N] = or += op(A)[M, K] · op(B)[K, N], where op transposes on demand, on all <see cref="Workers"/>.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
    public static void Multiply(Matrix a, bool transposeA, Matrix b, bool transposeB, Matrix c, bool accumulate = false, CpuTarget? target = null)
    {
        var (m, k) = transposeA ? (a.Columns, a.Rows) : (a.Rows, a.Columns);
        var (depth, n) = transposeB ? (b.Columns, b.Rows) : (b.Rows, b.Columns);
        Check(k == depth && c.Rows == m && c.Columns == n);
        fixed (float* left = a.Data, right = b.Data, output = c.Data)
        {
            FloatProduct.Current
                .Left(left, transposeA ? 1 : a.Columns, transposeA ? a.Columns : 1)
                .Right(right, transposeB ? b.Columns : 1, transposeB ? 1 : b.Columns)
                .Into(output, c.Columns, m, n, k, null, accumulate, threaded: true, target);
        }
    }

    /// <summary>C[m, n] = or += A[m, k] · B[n, k]ᵀ for rows at the given strides, on the calling thread.</summary>
    /// <exception cref="ArgumentException">A span is too short.</exception>
    public static void MultiplyNT(
        int m, int n, int k, ReadOnlySpan<float> a, int strideA, ReadOnlySpan<float> b, int strideB, Span<float> c, int strideC, bool accumulate = false, CpuTarget? target = null)
    {
        Check(Holds(a, m, strideA, k) && Holds(b, n, strideB, k) && Holds(c, m, strideC, n));
        fixed (float* left = a, right = b, output = c)
        {
            FloatProduct.Current.Left(left, strideA, 1).Right(right, strideB, 1).Into(output, strideC, m, n, k, null, accumulate, threaded: false, target);
        }
    }

    /// <summary>C[m, n] = or += A[m, k] · B[k, n] for rows at the given strides, on the calling thread.</summary>
    /// <exception cref="ArgumentException">A span is too short.</exception>
    public static void MultiplyNN(
        int m, int n, int k, ReadOnlySpan<float> a, int strideA, ReadOnlySpan<float> b, int strideB, Span<float> c, int strideC, bool accumulate = false, CpuTarget? target = null)
    {
        Check(Holds(a, m, strideA, k) && Holds(b, k, strideB, n) && Holds(c, m, strideC, n));
        fixed (float* left = a, right = b, output = c)
        {
            FloatProduct.Current.Left(left, strideA, 1).Right(right, 1, strideB).Into(output, strideC, m, n, k, null, accumulate, threaded: false, target);
        }
    }

    /// <summary>C[m, n] = or += A[k, m]ᵀ · B[k, n] for rows at the given strides, on the calling thread.</summary>
    /// <exception cref="ArgumentException">A span is too short.</exception>
    public static void MultiplyTN(
        int m, int n, int k, ReadOnlySpan<float> a, int strideA, ReadOnlySpan<float> b, int strideB, Span<float> c, int strideC, bool accumulate = false, CpuTarget? target = null)
    {
        Check(Holds(a, k, strideA, m) && Holds(b, k, strideB, n) && Holds(c, m, strideC, n));
        fixed (float* left = a, right = b, output = c)
        {
            FloatProduct.Current.Left(left, 1, strideA).Right(right, 1, strideB).Into(output, strideC, m, n, k, null, accumulate, threaded: false, target);
        }
    }

    private static bool Holds(ReadOnlySpan<float> values, int rows, int stride, int columns)
        => rows >= 0 && columns >= 0 && (rows <= 1 || stride >= columns) && (rows == 0 || ((long)(rows - 1) * stride) + columns <= values.Length);

    private static bool Fits(ReadOnlySpan<float> bias, int outputs) => bias.IsEmpty || bias.Length >= outputs;

    private static void Check(bool fits)
    {
        if (!fits)
        {
            throw new ArgumentException("The shapes of the operands do not fit each other.");
        }
    }
}
