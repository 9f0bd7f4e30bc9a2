using System.Numerics;

namespace MASQuant.Quantization.Numerics;

/// <summary>The leading singular triples: exact where the smaller dimension is small, otherwise by <see cref="RandomizedSvd"/>.</summary>
public static class TruncatedSvd
{
    /// <summary>Up to this smaller dimension the exact way is the faster one too.</summary>
    public const int MaxExact = 512;

    /// <summary>Decomposes A [m, n] to rank min(<paramref name="rank"/>, m, n).</summary>
    public static SingularFactors<T> Decompose<T>(MatrixView<T> a, int rank, RandomizedSvdOptions? options = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Math.Min(a.Rows, a.Columns) > MaxExact)
        {
            return RandomizedSvd.Decompose(a, rank, options);
        }

        if (a.Rows <= a.Columns)
        {
            return DecomposeWide(a, Math.Min(rank, a.Rows));
        }

        var transposed = DecomposeWide(a.Transposed, Math.Min(rank, a.Columns));
        return new SingularFactors<T>(transposed.RightRows, transposed.Values, transposed.LeftRows);
    }

    /// <summary>A·Aᵀ = U·Σ²·Uᵀ in FP64, then Vᵀ = Σ⁻¹·Uᵀ·A.</summary>
    private static SingularFactors<T> DecomposeWide<T>(MatrixView<T> a, int rank)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var gram = new RealMatrix<double>(a.Rows, a.Rows);
        RealGemm.Accumulate(a, a.Transposed, gram.View, lowerOnly: true);
        var ascending = SymmetricEigen.Decompose(gram, vectors: true).VectorRows!;
        var left = new RealMatrix<double>(rank, a.Rows);
        for (var i = 0; i < rank; i++)
        {
            ascending.Row(a.Rows - 1 - i).CopyTo(left.Row(i));
        }

        var right = RealGemm.Multiply<double, T, double>(left.View, a);
        var values = new double[rank];
        for (var i = 0; i < rank; i++)
        {
            values[i] = Math.Sqrt(Lanes.Dot<double>(right.Row(i), right.Row(i)));
            if (values[i] > 0)
            {
                Lanes.Scale(1 / values[i], right.Row(i));
            }
        }

        return new SingularFactors<T>(RealMatrix<T>.From(left.View), values, RealMatrix<T>.From(right.View));
    }
}
