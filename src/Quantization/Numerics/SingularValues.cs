using System.Numerics;

namespace MASQuant.Quantization.Numerics;

/// <summary>All singular values of a matrix, as the square roots of the eigenvalues of its smaller Gram matrix in FP64. Values below about 10⁻⁸ of the largest are noise, which no spectrum shown here resolves.</summary>
internal static class SingularValues
{
    /// <summary>min(m, n) values, descending.</summary>
    public static double[] Of<T>(MatrixView<T> a)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var wide = a.Rows <= a.Columns ? a : a.Transposed;
        var gram = new RealMatrix<double>(wide.Rows, wide.Rows);
        RealGemm.Accumulate(wide, wide.Transposed, gram.View, lowerOnly: true);
        var values = SymmetricEigen.Decompose(gram, vectors: false).Values;
        Array.Reverse(values);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Math.Sqrt(Math.Max(0, values[i]));
        }

        return values;
    }
}
