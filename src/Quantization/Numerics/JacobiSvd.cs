namespace MASQuant.Quantization.Numerics;

/// <summary>The exact singular value decomposition in FP64 by one-sided Jacobi rotations (Hestenes): small matrices, and the oracle of the randomized one.</summary>
internal static class JacobiSvd
{
    private const int MaxSweeps = 60;
    private const double Tolerance = 1e-15;

    /// <summary>Decomposes A [m, n] into min(m, n) triples, the largest first.</summary>
    public static SingularFactors<double> Decompose(MatrixView<double> a)
    {
        if (a.Rows > a.Columns)
        {
            var transposed = Decompose(a.Transposed);
            return new SingularFactors<double>(transposed.RightRows, transposed.Values, transposed.LeftRows);
        }

        // Rotating the rows until they are orthogonal gives J·A = Σ·Vᵀ, so that U = Jᵀ.
        var rows = RealMatrix<double>.From(a);
        var rotations = new RealMatrix<double>(a.Rows, a.Rows);
        for (var i = 0; i < a.Rows; i++)
        {
            rotations[i, i] = 1;
        }

        for (var sweep = 0; sweep < MaxSweeps && Sweep(rows, rotations); sweep++)
        {
        }

        return Sort(rows, rotations);
    }

    private static bool Sweep(RealMatrix<double> rows, RealMatrix<double> rotations)
    {
        var rotated = false;
        for (var i = 0; i < rows.Rows - 1; i++)
        {
            for (var j = i + 1; j < rows.Rows; j++)
            {
                var x = rows.Row(i);
                var y = rows.Row(j);
                var (xx, yy, xy) = (Lanes.Dot<double>(x, x), Lanes.Dot<double>(y, y), Lanes.Dot<double>(x, y));
                if (!(Math.Abs(xy) > Tolerance * Math.Sqrt(xx) * Math.Sqrt(yy)))
                {
                    continue;
                }

                rotated = true;
                var zeta = (yy - xx) / (2 * xy);
                var tangent = Math.CopySign(1, zeta) / (Math.Abs(zeta) + Math.Sqrt(1 + (zeta * zeta)));
                var cosine = 1 / Math.Sqrt(1 + (tangent * tangent));
                Lanes.Rotate(cosine, cosine * tangent, x, y);
                Lanes.Rotate(cosine, cosine * tangent, rotations.Row(i), rotations.Row(j));
            }
        }

        return rotated;
    }

    private static SingularFactors<double> Sort(RealMatrix<double> rows, RealMatrix<double> rotations)
    {
        var norms = new double[rows.Rows];
        for (var i = 0; i < norms.Length; i++)
        {
            norms[i] = Math.Sqrt(Lanes.Dot<double>(rows.Row(i), rows.Row(i)));
        }

        var order = Enumerable.Range(0, norms.Length).OrderByDescending(i => norms[i]).ToArray();
        var left = new RealMatrix<double>(rows.Rows, rows.Rows);
        var right = new RealMatrix<double>(rows.Rows, rows.Columns);
        for (var i = 0; i < order.Length; i++)
        {
            rotations.Row(order[i]).CopyTo(left.Row(i));
            rows.Row(order[i]).CopyTo(right.Row(i));
            if (norms[order[i]] > 0)
            {
                Lanes.Scale(1 / norms[order[i]], right.Row(i));
            }
        }

        return new SingularFactors<double>(left, [.. order.Select(i => norms[i])], right);
    }
}
