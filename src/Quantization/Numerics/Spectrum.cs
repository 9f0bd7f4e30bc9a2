namespace MASQuant.Quantization.Numerics;

/// <summary>The singular values of a matrix, the largest first: all of them where the matrix is small, otherwise an estimate in which a value may stand for many (<see cref="SpectrumEstimate"/>).</summary>
public sealed class Spectrum
{
    /// <summary>Up to this many singular values they are all computed; the time grows with their cube.</summary>
    public const int MaxExact = 512;

    private readonly double[] _values;
    private readonly double[] _counts;

    /// <summary>All singular values, descending.</summary>
    public Spectrum(double[] values)
    {
        (_values, _counts) = (values, [.. values.Select(_ => 1.0)]);
        EffectiveRank = Numerics.EffectiveRank.Of(values);
    }

    /// <summary>An estimate.</summary>
    /// <param name="nodes">Values in any order, each with how many singular values it stands for (a real number).</param>
    /// <param name="relativeError">The standard error of <see cref="EffectiveRank"/>, as a share of it.</param>
    public Spectrum(IEnumerable<(double Value, double Count)> nodes, double relativeError)
    {
        var sorted = nodes.OrderByDescending(node => node.Value).ToArray();
        _values = [.. sorted.Select(node => node.Value)];
        _counts = [.. sorted.Select(node => node.Count)];
        RelativeError = relativeError;
        EffectiveRank = Numerics.EffectiveRank.Of(_values, _counts);
    }

    /// <summary>exp(−Σ p log p), p = σ/Σσ.</summary>
    public double EffectiveRank { get; }

    /// <summary>The standard error of <see cref="EffectiveRank"/> as a share of it; 0 when all values were computed.</summary>
    public double RelativeError { get; }

    /// <summary>How many singular values there are.</summary>
    public int Count => (int)Math.Round(_counts.Sum());

    /// <summary>The spectrum of A [m, n]: exact when min(m, n) is at most <see cref="MaxExact"/>.</summary>
    /// <param name="a">Column stride 1.</param>
    public static Spectrum Of(MatrixView<float> a)
        => Math.Min(a.Rows, a.Columns) <= MaxExact ? new Spectrum(SingularValues.Of(a)) : SpectrumEstimate.Of(new MatrixGram<float>(a));

    /// <summary>The singular value at a place from 0 (the largest) to <see cref="Count"/> − 1.</summary>
    public double At(int place)
    {
        var passed = 0.0;
        for (var i = 0; i < _values.Length; i++)
        {
            passed += _counts[i];
            if (passed > place)
            {
                return _values[i];
            }
        }

        return _values.Length == 0 ? 0 : _values[^1];
    }
}
