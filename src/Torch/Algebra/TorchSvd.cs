using System.Numerics;
using MASQuant.Quantization.Numerics;
using static MASQuant.Torch.Algebra.TorchProducts;
using static TorchSharp.torch;

namespace MASQuant.Torch.Algebra;

/// <summary>The leading singular triples: exact where the smaller dimension is small, otherwise by a randomized range finder with power iterations (Halko, Martinsson and Tropp, 2011) that goes on until the product settles.</summary>
internal static class TorchSvd
{
    /// <summary>Decomposes A [m, n] to rank min(<paramref name="rank"/>, m, n).</summary>
    public static SingularFactors<T> Decompose<T>(Device device, MatrixView<T> view, int rank, RandomizedSvdOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var a = TorchMatrix.Copy(view, device);
        var smaller = Math.Min(view.Rows, view.Columns);
        rank = Math.Min(rank, smaller);
        var (left, values, right) = smaller <= TruncatedSvd.MaxExact ? Exact(a, rank) : Randomized<T>(a, rank, options);
        using var numbers = values.to(ScalarType.Float64, CPU);
        return new SingularFactors<T>(TorchMatrix.ToMatrix<T>(left), [.. numbers.data<double>()], TorchMatrix.ToMatrix<T>(right));
    }

    // A·Aᵀ = U·Σ²·Uᵀ in FP64, then Vᵀ = Σ⁻¹·Uᵀ·A.
    private static (Tensor Left, Tensor Values, Tensor Right) Exact(Tensor a, int rank)
    {
        if (a.shape[0] > a.shape[1])
        {
            var (v, s, u) = Exact(a.t(), rank);
            return (u, s, v);
        }

        var wide = a.to(ScalarType.Float64);
        var (_, vectors) = linalg.eigh(Multiply(wide, wide.t()));
        var left = vectors.t().flip(0)[..rank].contiguous();
        var right = Multiply(left, wide);
        var values = right.Squared().sum(1).sqrt();
        return (left, values, right / where(values.IsPositive(), values, ones_like(values)).unsqueeze(1));
    }

    private static (Tensor Left, Tensor Values, Tensor Right) Randomized<T>(Tensor a, int rank, RandomizedSvdOptions options)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var limit = (int)Math.Min(a.shape[0], a.shape[1]);
        var width = Math.Min(rank + options.Oversampling, limit);
        var start = TorchMatrix.Copy(RandomizedSvd.RandomRows<T>(width, (int)a.shape[1], options.Seed).View, a.device);
        var left = linalg.qr(Multiply(a, start.t())).Q;
        (Tensor Left, Tensor Values, Tensor Right)? previous = null;
        for (var iteration = 0; ; iteration++)
        {
            var (right, coefficients) = linalg.qr(Multiply(a.t(), left));
            if (iteration >= options.PowerIterations - 1 || width == limit)
            {
                var current = Project(left, coefficients, right, rank);
                if (width == limit || iteration >= options.MaxPowerIterations || (previous is { } before && IsSettled<T>(before, current, options.Tolerance)))
                {
                    return current;
                }

                previous = current;
            }

            left = linalg.qr(Multiply(a, right)).Q;
        }
    }

    // The triples of left·(right·coefficients)ᵀ, cut to rank; as rows.
    private static (Tensor Left, Tensor Values, Tensor Right) Project(Tensor left, Tensor coefficients, Tensor right, int rank)
    {
        var (u, s, vt) = linalg.svd(coefficients.t().to(ScalarType.Float64), false);
        return (Multiply(u[.., ..rank].t().to(left.dtype), left.t()), s[..rank], Multiply(vt[..rank].to(left.dtype), right.t()));
    }

    // ‖A − B‖² = ‖A‖² − 2⟨A, B⟩ + ‖B‖².
    private static bool IsSettled<T>((Tensor Left, Tensor Values, Tensor Right) previous, (Tensor Left, Tensor Values, Tensor Right) current, double tolerance)
    {
        var energy = current.Values.Squared().sum().item<double>();
        var across = (previous.Values.unsqueeze(1) * current.Values * Products(previous.Left, current.Left) * Products(previous.Right, current.Right)).sum().item<double>();
        var change = previous.Values.Squared().sum().item<double>() + energy - (2 * across);

        // In FP32 the vectors themselves carry errors of about ε, which no iteration removes.
        var floor = typeof(T) == typeof(float) ? 1e-3 : tolerance;
        return !(change > floor * floor * energy);
    }

    private static Tensor Products(Tensor a, Tensor b) => Multiply(a.to(ScalarType.Float64), b.to(ScalarType.Float64).t());
}
