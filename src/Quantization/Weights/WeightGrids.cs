using MASQuant.Diagnostics;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Weights;

/// <summary>The grids of a whole weight: one per output, or one per output and group of 128 inputs.</summary>
internal sealed class WeightGrids
{
    private readonly QuantizationScheme _scheme;
    private readonly WeightGrid[] _grids;
    private readonly int _groups;

    private readonly float[] _firstScales;
    private readonly byte[] _secondScales;

    private WeightGrids(QuantizationScheme scheme, int outputs, int inputs, bool secondLevel)
    {
        _scheme = scheme;
        GroupSize = secondLevel ? PackingLayout.GroupSize : WeightGrid.GroupSize(scheme, inputs);
        _groups = inputs / GroupSize;
        _grids = new WeightGrid[outputs * _groups];
        _firstScales = new float[secondLevel ? outputs : 0];
        _secondScales = new byte[secondLevel ? _grids.Length : 0];
    }

    /// <summary>Inputs that share a grid.</summary>
    public int GroupSize { get; }

    /// <summary>The grid of output <paramref name="n"/> at input <paramref name="k"/>.</summary>
    public WeightGrid this[int n, int k] => _grids[(n * _groups) + (k / GroupSize)];

    /// <summary>Fits every grid.</summary>
    /// <param name="weight">s_b ⊙ W, [N, K].</param>
    /// <param name="scheme">Codes.</param>
    /// <param name="searchClip">Whether to search the clipping.</param>
    /// <param name="importance">K weights of squared errors for that search; empty for equal ones.</param>
    /// <param name="secondLevel">Whether a symmetric 4-bit weight has one scale per output and small integers per group of 128 inputs.</param>
    /// <exception cref="MASQuantException">MASQ0511: a value is not finite.</exception>
    public static WeightGrids Fit(Matrix weight, QuantizationScheme scheme, bool searchClip, ReadOnlyMemory<float> importance, bool secondLevel = false)
    {
        secondLevel &= scheme.SupportsGroupScales;
        if (weight.Columns % (secondLevel ? PackingLayout.GroupSize : WeightGrid.GroupSize(scheme, weight.Columns)) != 0)
        {
            throw new ArgumentException($"{weight.Columns} inputs do not divide into groups of {PackingLayout.GroupSize}.", nameof(weight));
        }

        CheckFinite(weight);
        var weights = importance.IsEmpty ? Enumerable.Repeat(1f, weight.Columns).ToArray() : importance;
        var grids = new WeightGrids(scheme, weight.Rows, weight.Columns, secondLevel);
        Workers.For(weight.Rows, n =>
        {
            for (var group = 0; group < grids._groups; group++)
            {
                var start = group * grids.GroupSize;
                var values = weight.Row(n).Slice(start, grids.GroupSize);
                grids._grids[(n * grids._groups) + group] = searchClip
                    ? ClipSearch.Best(values, weights.Span.Slice(start, grids.GroupSize), scheme)
                    : WeightGrid.Fit(values, scheme);
            }

            if (secondLevel)
            {
                grids.Share(n, weight.Row(n), searchClip, weights.Span);
            }
        });
        return grids;
    }

    /// <summary>The same grids with every scale multiplied by <paramref name="factor"/>.</summary>
    public WeightGrids Stretch(float factor)
    {
        var stretched = new WeightGrids(_scheme, _grids.Length / _groups, _groups * GroupSize, _firstScales.Length > 0);
        for (var i = 0; i < _grids.Length; i++)
        {
            stretched._grids[i] = _grids[i] with { Scale = _grids[i].Scale * factor };
        }

        for (var n = 0; n < _firstScales.Length; n++)
        {
            stretched._firstScales[n] = _firstScales[n] * factor;
        }

        _secondScales.CopyTo(stretched._secondScales, 0);

        return stretched;
    }

    /// <summary>Takes over the grids of output <paramref name="n"/>.</summary>
    public void Take(WeightGrids other, int n)
    {
        other._grids.AsSpan(n * _groups, _groups).CopyTo(_grids.AsSpan(n * _groups));
        if (_firstScales.Length > 0)
        {
            _firstScales[n] = other._firstScales[n];
            other._secondScales.AsSpan(n * _groups, _groups).CopyTo(_secondScales.AsSpan(n * _groups));
        }
    }

    /// <summary>Joins the grids with the codes chosen on them, [N, K].</summary>
    public WeightCodes With(sbyte[] codes) => new()
    {
        Scheme = _scheme,
        Outputs = _grids.Length / _groups,
        Inputs = _groups * GroupSize,
        Codes = codes,
        Scales = _firstScales.Length > 0 ? _firstScales : [.. _grids.Select(grid => grid.Scale)],
        GroupScales = _secondScales,
        ZeroPoints = _scheme.HasZeroPoints ? [.. _grids.Select(grid => (byte)grid.ZeroPoint)] : [],
    };

    // The first level is a 16th of the widest group's scale, so that every second-level scale is 1 … 16 and a code times it stays within 8 bits.
    private void Share(int n, ReadOnlySpan<float> values, bool search, ReadOnlySpan<float> importance)
    {
        var grids = _grids.AsSpan(n * _groups, _groups);
        var widest = 0f;
        for (var group = 0; group < _groups; group++)
        {
            var zero = values.Slice(group * GroupSize, GroupSize).IndexOfAnyExcept(0f) < 0;
            widest = zero ? widest : Math.Max(widest, grids[group].Scale);
        }

        var first = widest > 0 ? widest / PackingLayout.MaxGroupScale : 1;
        _firstScales[n] = first;
        for (var group = 0; group < _groups; group++)
        {
            var part = values.Slice(group * GroupSize, GroupSize);
            var second = search
                ? ClipSearch.BestMultiple(part, importance.Slice(group * GroupSize, GroupSize), grids[group], first)
                : (int)Math.Clamp(MathF.Ceiling(grids[group].Scale / first), 1, PackingLayout.MaxGroupScale);
            _secondScales[(n * _groups) + group] = (byte)second;
            grids[group] = grids[group] with { Scale = first * second };
        }
    }

    private static void CheckFinite(Matrix weight)
    {
        for (var i = 0; i < weight.Span.Length; i++)
        {
            if (!float.IsFinite(weight.Data[i]))
            {
                throw new MASQuantException(DiagnosticCodes.WeightNotFinite, null,
                    $"A weight holds {weight.Data[i]} at [{i / weight.Columns}, {i % weight.Columns}]. The checkpoint is damaged, or was saved after training diverged: download it again.");
            }
        }
    }
}
