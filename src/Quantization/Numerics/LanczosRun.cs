namespace MASQuant.Quantization.Numerics;

/// <summary>One run of Lanczos' recurrence with full reorthogonalization: the tridiagonal matrix that G shows to one starting vector.</summary>
internal sealed class LanczosRun
{
    private readonly List<double[]> _basis = [];
    private readonly List<double> _diagonal = [];
    private readonly List<double> _offDiagonal = [];
    private readonly double _energy;
    private bool _exhausted;

    /// <summary>Starts from a vector, which is normalized in place.</summary>
    public LanczosRun(Span<double> start)
    {
        _energy = Lanes.Dot<double>(start, start);
        _exhausted = !(_energy > 0);
        if (!_exhausted)
        {
            Lanes.Scale(1 / Math.Sqrt(_energy), start);
        }
    }

    /// <summary>Takes one step.</summary>
    /// <param name="image">G·v of the current vector; overwritten.</param>
    /// <param name="vector">v, a unit vector; receives the next one, or zeros when the space is exhausted.</param>
    /// <param name="negligible">The share of G·v below which the rest counts as rounding.</param>
    public void Advance(Span<double> image, Span<double> vector, double negligible)
    {
        if (_exhausted)
        {
            return;
        }

        var size = Math.Sqrt(Lanes.Dot<double>(image, image));
        _basis.Add(vector.ToArray());
        _diagonal.Add(Lanes.Dot<double>(image, vector));
        for (var pass = 0; pass < 2; pass++)
        {
            foreach (var earlier in _basis)
            {
                Lanes.AddScaled<double>(-Lanes.Dot<double>(image, earlier), earlier, image);
            }
        }

        var norm = Math.Sqrt(Lanes.Dot<double>(image, image));
        _exhausted = !(norm > negligible * size);
        _offDiagonal.Add(norm);
        vector.Clear();
        if (!_exhausted)
        {
            Lanes.AddScaled<double>(1 / norm, image, vector);
        }
    }

    /// <summary>The roots of the Ritz values, each with its share of the starting vector's energy.</summary>
    public (double Value, double Count)[] Nodes()
    {
        if (_diagonal.Count == 0)
        {
            return [(0, 1)];
        }

        var tridiagonal = new RealMatrix<double>(_diagonal.Count, _diagonal.Count);
        for (var i = 0; i < _diagonal.Count; i++)
        {
            tridiagonal[i, i] = _diagonal[i];
            if (i > 0)
            {
                tridiagonal[i, i - 1] = _offDiagonal[i - 1];
            }
        }

        var eigen = SymmetricEigen.Decompose(tridiagonal, vectors: true);
        return [.. eigen.Values.Select((value, i) => (Math.Sqrt(Math.Max(0, value)), _energy * eigen.VectorRows![i, 0] * eigen.VectorRows[i, 0]))];
    }
}
