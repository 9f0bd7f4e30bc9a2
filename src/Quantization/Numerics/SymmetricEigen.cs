namespace MASQuant.Quantization.Numerics;

/// <summary>Eigenvalues and, when asked for, eigenvectors of a symmetric FP64 matrix: Householder tridiagonalization, then implicit QL with Wilkinson's shift (Golub and Van Loan, §8.3).</summary>
internal sealed class SymmetricEigen
{
    private const int MaxSweeps = 60;

    private SymmetricEigen(double[] values, RealMatrix<double>? vectors) => (Values, VectorRows) = (values, vectors);

    /// <summary>The eigenvalues, ascending.</summary>
    public double[] Values { get; }

    /// <summary>Row i is the unit eigenvector of <see cref="Values"/>[i]; null when only values were asked for.</summary>
    public RealMatrix<double>? VectorRows { get; }

    /// <summary>Decomposes the matrix given by the lower triangle of <paramref name="lower"/>, which is overwritten.</summary>
    public static SymmetricEigen Decompose(RealMatrix<double> lower, bool vectors)
    {
        var size = lower.Rows;
        for (var i = 0; i < size; i++)
        {
            for (var j = i + 1; j < size; j++)
            {
                lower[i, j] = lower[j, i];
            }
        }

        var diagonal = new double[size];
        var offDiagonal = new double[size];
        var rows = Tridiagonalize(lower, diagonal, offDiagonal, vectors);
        Diagonalize(diagonal, offDiagonal, rows);
        var order = Enumerable.Range(0, size).OrderBy(i => diagonal[i]).ToArray();
        RealMatrix<double>? sorted = null;
        if (rows is not null)
        {
            sorted = new RealMatrix<double>(size, size);
            for (var i = 0; i < size; i++)
            {
                rows.Row(order[i]).CopyTo(sorted.Row(i));
            }
        }

        return new SymmetricEigen([.. order.Select(i => diagonal[i])], sorted);
    }

    /// <summary>A = Q·tridiagonal·Qᵀ; returns Qᵀ. Step k reflects away column k below its subdiagonal entry.</summary>
    private static RealMatrix<double>? Tridiagonalize(RealMatrix<double> a, double[] diagonal, double[] offDiagonal, bool vectors)
    {
        var size = a.Rows;
        var betas = new double[size];
        Span<double> product = new double[size];
        for (var k = 0; k < size - 2; k++)
        {
            // By symmetry row k holds column k; the reflector v replaces it.
            var v = a.Row(k)[(k + 1)..];
            var norm = Math.Sqrt(Lanes.Dot<double>(v, v));
            var alpha = v[0] > 0 ? -norm : norm;
            offDiagonal[k] = alpha;
            if (norm == 0)
            {
                continue;
            }

            v[0] -= alpha;
            var beta = betas[k] = 2 / Lanes.Dot<double>(v, v);
            var w = product[..v.Length];
            for (var i = 0; i < v.Length; i++)
            {
                w[i] = beta * Lanes.Dot<double>(a.Row(k + 1 + i)[(k + 1)..], v);
            }

            Lanes.AddScaled(-0.5 * beta * Lanes.Dot<double>(w, v), v, w);
            for (var i = 0; i < v.Length; i++)
            {
                var row = a.Row(k + 1 + i)[(k + 1)..];
                Lanes.AddScaled(-v[i], w, row);
                Lanes.AddScaled(-w[i], v, row);
            }
        }

        for (var i = 0; i < size; i++)
        {
            diagonal[i] = a[i, i];
        }

        if (size > 1)
        {
            offDiagonal[size - 2] = a[size - 2, size - 1];
        }

        return vectors ? AccumulateReflectors(a, betas) : null;
    }

    private static RealMatrix<double> AccumulateReflectors(RealMatrix<double> a, double[] betas)
    {
        var size = a.Rows;
        var q = new RealMatrix<double>(size, size);
        for (var i = 0; i < size; i++)
        {
            q[i, i] = 1;
        }

        Span<double> product = new double[size];
        for (var k = size - 3; k >= 0; k--)
        {
            var v = a.Row(k)[(k + 1)..];
            var w = product[..v.Length];
            w.Clear();
            for (var i = 0; i < v.Length; i++)
            {
                Lanes.AddScaled(v[i], q.Row(k + 1 + i)[(k + 1)..], w);
            }

            for (var i = 0; i < v.Length; i++)
            {
                Lanes.AddScaled(-betas[k] * v[i], w, q.Row(k + 1 + i)[(k + 1)..]);
            }
        }

        return RealMatrix<double>.From(q.View.Transposed);
    }

    /// <summary>Implicit QL on the tridiagonal matrix; rotates the rows of <paramref name="vectors"/> along.</summary>
    private static void Diagonalize(double[] d, double[] e, RealMatrix<double>? vectors)
    {
        var norm = 0.0;
        for (var i = 0; i < d.Length; i++)
        {
            norm = Math.Max(norm, Math.Abs(d[i]) + Math.Abs(e[i]));
        }

        // Dropping an entry of this size is a backward error below the reduction's own.
        var negligible = norm * (Math.BitIncrement(1.0) - 1.0) / 2;
        for (var low = 0; low < d.Length; low++)
        {
            for (var sweep = 0; ; sweep++)
            {
                var high = low;
                while (high < d.Length - 1 && !(Math.Abs(e[high]) <= negligible))
                {
                    high++;
                }

                if (high == low)
                {
                    break;
                }

                if (sweep == MaxSweeps)
                {
                    throw new ArithmeticException("The eigenvalue iteration did not converge: the matrix holds values that are not finite.");
                }

                StepQl(d, e, low, high, vectors);
            }
        }
    }

    /// <summary>One shifted QL sweep over the unreduced block low … high.</summary>
    private static void StepQl(double[] d, double[] e, int low, int high, RealMatrix<double>? vectors)
    {
        var half = (d[low + 1] - d[low]) / (2 * e[low]);
        var g = d[high] - d[low] + (e[low] / (half + Math.CopySign(Math.Sqrt((half * half) + 1), half)));
        var (sine, cosine, carried) = (1.0, 1.0, 0.0);
        for (var i = high - 1; i >= low; i--)
        {
            var bulge = sine * e[i];
            var b = cosine * e[i];
            var radius = Math.Sqrt((bulge * bulge) + (g * g));
            e[i + 1] = radius;
            if (radius == 0)
            {
                // The bulge vanished: the block splits here.
                d[i + 1] -= carried;
                e[high] = 0;
                return;
            }

            sine = bulge / radius;
            cosine = g / radius;
            g = d[i + 1] - carried;
            var t = ((d[i] - g) * sine) + (2 * cosine * b);
            carried = sine * t;
            d[i + 1] = g + carried;
            g = (cosine * t) - b;
            if (vectors is not null)
            {
                Lanes.Rotate(cosine, sine, vectors.Row(i), vectors.Row(i + 1));
            }
        }

        d[low] -= carried;
        e[low] = g;
        e[high] = 0;
    }
}
