using System.Numerics;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compute;

/// <summary>The factor of C + λ·mean(diag C)·I, with λ raised tenfold until it exists.</summary>
internal static class DampedFactor
{
    /// <summary>The λ tried after 0.</summary>
    private const double SmallestDamping = 1e-10;

    /// <summary>Factors C where it lies: a second matrix of a wide layer would be half a gigabyte and more. The upper triangle keeps what an attempt takes from the lower one.</summary>
    /// <param name="compute">Factors.</param>
    /// <param name="matrix">C, [K, K], of which the lower triangle counts; taken over, and as it was, with both triangles, when no λ suffices.</param>
    /// <param name="damping">The first λ, 0 or more.</param>
    /// <param name="retries">How often λ is raised.</param>
    /// <param name="used">The λ that was used.</param>
    /// <returns>L, or null when no λ sufficed.</returns>
    public static TriangularFactor<T>? TryFactor<T>(ICompute compute, RealMatrix<T> matrix, double damping, int retries, out double used)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        matrix.MirrorLower();
        T[] diagonal = [.. Enumerable.Range(0, matrix.Rows).Select(i => matrix[i, i])];
        used = damping;
        for (var attempt = 0; attempt <= retries; attempt++)
        {
            AddToDiagonal(matrix, used);
            if (compute.TryFactor(matrix) is { } factor)
            {
                return factor;
            }

            used = Math.Max(used * 10, SmallestDamping);
            matrix.MirrorUpper();
            for (var i = 0; i < diagonal.Length; i++)
            {
                matrix[i, i] = diagonal[i];
            }
        }

        return null;
    }

    /// <summary>Adds λ·mean(diag) to the diagonal; 1 where the whole diagonal is zero.</summary>
    public static void AddToDiagonal<T>(RealMatrix<T> lower, double damping)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var mean = 0.0;
        for (var i = 0; i < lower.Rows; i++)
        {
            mean += double.CreateTruncating(lower[i, i]) / lower.Rows;
        }

        var added = T.CreateTruncating(mean > 0 ? damping * mean : 1);
        for (var i = 0; i < lower.Rows; i++)
        {
            lower[i, i] += added;
        }
    }
}
