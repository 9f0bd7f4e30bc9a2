using MASQuant.Diagnostics;
using MASQuant.Gemm;
using MASQuant.Tensors;

namespace MASQuant.Weights;

/// <summary>The grids of a whole weight: one per output, or one per output and group of 128 inputs.</summary>
internal sealed class WeightGrids
{
    private readonly QuantizationScheme _scheme;
    private readonly WeightGrid[] _grids;
    private readonly int _groups;

    private WeightGrids(QuantizationScheme scheme, int outputs, int inputs)
    {
        _scheme = scheme;
        GroupSize = WeightGrid.GroupSize(scheme, inputs);
        _groups = inputs / GroupSize;
        _grids = new WeightGrid[outputs * _groups];
    }

    /// <summary>Inputs that share a grid.</summary>
    public int GroupSize { get; }

    /// <summary>The grid of output <paramref name="n"/> at input <paramref name="k"/>.</summary>
    public WeightGrid this[int n, int k] => _grids[(n * _groups) + (k / GroupSize)];

    /// <summary>Fits every grid.</summary>
    /// <param name="weight">s_b ⊙ W, [N, K].</param>
    /// <param name="scheme">Codes.</param>
    /// <param name="searchClip">Whether to search the clipping.</param>
    /// <param name="importance">K weights of squared errors for that search, or empty.</param>
    /// <exception cref="MasQuantException">MASQ0511: a value is not finite.</exception>
    public static WeightGrids Fit(Matrix weight, QuantizationScheme scheme, bool searchClip, double[] importance)
    {
        if (weight.Columns % WeightGrid.GroupSize(scheme, weight.Columns) != 0)
        {
            throw new ArgumentException($"{weight.Columns} inputs do not divide into groups of {PackingLayout.GroupSize}.", nameof(weight));
        }

        CheckFinite(weight);
        var grids = new WeightGrids(scheme, weight.Rows, weight.Columns);
        Workers.For(weight.Rows, n =>
        {
            for (var group = 0; group < grids._groups; group++)
            {
                var start = group * grids.GroupSize;
                var values = weight.Row(n).Slice(start, grids.GroupSize);
                grids._grids[(n * grids._groups) + group] = searchClip
                    ? ClipSearch.Best(values, importance.Length == 0 ? [] : importance.AsSpan(start, grids.GroupSize), scheme)
                    : WeightGrid.Fit(values, scheme);
            }
        });
        return grids;
    }

    /// <summary>Joins the grids with the codes chosen on them, [N, K].</summary>
    public WeightCodes With(sbyte[] codes) => new()
    {
        Scheme = _scheme,
        Outputs = _grids.Length / _groups,
        Inputs = _groups * GroupSize,
        Codes = codes,
        Scales = [.. _grids.Select(grid => grid.Scale)],
        ZeroPoints = _scheme.QuantizesActivations ? [] : [.. _grids.Select(grid => (byte)grid.ZeroPoint)],
    };

    private static void CheckFinite(Matrix weight)
    {
        for (var i = 0; i < weight.Span.Length; i++)
        {
            if (!float.IsFinite(weight.Data[i]))
            {
                throw new MasQuantException(DiagnosticCodes.WeightNotFinite, null,
                    $"A weight holds {weight.Data[i]} at [{i / weight.Columns}, {i % weight.Columns}]. The checkpoint is damaged, or was saved after training diverged: download it again.");
            }
        }
    }
}
