using System.Numerics;
using MASQuant.Engine.Generation;

namespace MASQuant.Quantization.Numerics;

/// <summary>The leading singular triples by a randomized range finder with power iterations (Halko, Martinsson and Tropp, 2011, algorithms 4.4 and 5.1), which goes on iterating until the product settles:
/// residuals of quantization have flat spectra, on which a fixed two iterations leave an error of several percent.</summary>
public static class RandomizedSvd
{
    /// <summary>Decomposes A [m, n] to rank min(<paramref name="rank"/>, m, n).</summary>
    public static SingularFactors<T> Decompose<T>(MatrixView<T> a, int rank, RandomizedSvdOptions? options = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (a.ColumnStride != 1)
        {
            var transposed = Decompose(a.Transposed, rank, options);
            return new SingularFactors<T>(transposed.RightRows, transposed.Values, transposed.LeftRows);
        }

        options ??= new RandomizedSvdOptions();
        var limit = Math.Min(a.Rows, a.Columns);
        rank = Math.Min(rank, limit);
        var width = Math.Min(rank + options.Oversampling, limit);
        var left = RowProducts.Dots(RandomRows<T>(width, a.Columns, options.Seed), a);
        Orthonormalization.OrthonormalizeRows(left);
        SingularFactors<T>? previous = null;
        for (var iteration = 0; ; iteration++)
        {
            var right = RowProducts.Sums(left, a);
            var coefficients = Orthonormalization.OrthonormalizeRows(right);
            if (iteration >= options.PowerIterations - 1 || width == limit)
            {
                var current = Project(left, coefficients, right, rank);
                if (width == limit || iteration >= options.MaxPowerIterations || (previous is not null && Settled(previous, current, options.Tolerance)))
                {
                    return current;
                }

                previous = current;
            }

            left = RowProducts.Dots(right, a);
            Orthonormalization.OrthonormalizeRows(left);
        }
    }

    /// <summary>The random start.</summary>
    public static RealMatrix<T> RandomRows<T>(int rows, int columns, ulong seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var random = new RandomSequence(seed);
        var matrix = new RealMatrix<T>(rows, columns);
        for (var i = 0; i < matrix.Data.Length; i++)
        {
            matrix.Data[i] = T.CreateTruncating(random.NextSigned());
        }

        return matrix;
    }

    /// <summary>The triples of leftᵀ·(coefficients·right), cut to <paramref name="rank"/>.</summary>
    private static SingularFactors<T> Project<T>(RealMatrix<T> left, RealMatrix<double> coefficients, RealMatrix<T> right, int rank)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var small = JacobiSvd.Decompose(coefficients.View);
        return new SingularFactors<T>(
            RealGemm.Multiply<double, T, T>(small.LeftRows.Block(0, 0, rank, left.Rows), left.View),
            small.Values[..rank],
            RealGemm.Multiply<double, T, T>(small.RightRows.Block(0, 0, rank, right.Rows), right.View));
    }

    /// <summary>‖A − B‖² = ‖A‖² − 2⟨A, B⟩ + ‖B‖², of two products of rank r.</summary>
    private static bool Settled<T>(SingularFactors<T> previous, SingularFactors<T> current, double tolerance)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var energy = current.Values.Sum(value => value * value);
        var change = previous.Values.Sum(value => value * value) + energy - (2 * SingularFactors<T>.InnerProduct(previous, current));

        // In FP32 the vectors themselves carry errors of about ε, which no iteration removes.
        var floor = typeof(T) == typeof(float) ? 1e-3 : tolerance;
        return !(change > floor * floor * energy);
    }
}
