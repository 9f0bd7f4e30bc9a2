using System.Numerics;
using MASQuant.Diagnostics;
using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Weights;

/// <summary>With H = M·Mᵀ, M upper triangular, the error of a row is ‖e·M‖², and column j of e·M depends on e_0 … e_j alone. Going through j in order, the best w̃_j to round is therefore
/// w_j + Σ_{i&lt;j} e_i·M_ij / M_jj: GPTQ's update without an inverse (the nearest-plane form; Chen et al., 2025).</summary>
internal sealed class GptqQuantizer<T> : GptqQuantizer
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Blocks whose inputs hear together of the errors of all inputs before them.
    private const int OuterBlocks = 4;

    // Around the scale that rounding alone would choose.
    private static readonly float[] Stretches = [0.88f, 0.94f, 1.06f, 1.12f];

    private readonly GptqOptions _options;
    private readonly int[] _order;
    private RealMatrix<T> _upper;
    private readonly float[] _importance;

    public GptqQuantizer(GramMatrix<T> gram, GptqOptions options)
    {
        _options = options;
        var lower = gram.Lower;
        _order = [.. Enumerable.Range(0, gram.Inputs)];
        if (options.EnergyOrder)
        {
            _order = [.. _order.OrderByDescending(k => lower[k, k])];
        }

        _upper = FactorUpper(lower, _order, options);
        _importance = new float[gram.Inputs];
        for (var j = 0; j < _order.Length; j++)
        {
            var pivot = float.CreateTruncating(_upper[j, j]);
            _importance[_order[j]] = pivot * pivot;
        }
    }

    public override void Release() => _upper = new RealMatrix<T>(0, 0);

    public override WeightCodes Quantize(Matrix weight, QuantizationScheme scheme, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weight.Columns, _order.Length, nameof(weight));
        var grids = WeightGrids.Fit(weight, scheme, _options.SearchClip, _importance, _options.SecondLevel);
        var (codes, least) = Quantize(weight, grids, cancellationToken);
        foreach (var stretch in _options.SearchOutput ? Stretches : [])
        {
            var candidate = grids.Stretch(stretch);
            var (others, errors) = Quantize(weight, candidate, cancellationToken);
            for (var n = 0; n < weight.Rows; n++)
            {
                if (errors[n] < least[n])
                {
                    least[n] = errors[n];
                    grids.Take(candidate, n);
                    others.AsSpan(n * weight.Columns, weight.Columns).CopyTo(codes.AsSpan(n * weight.Columns));
                }
            }
        }

        return grids.With(codes);
    }

    /// <summary>Codes, and for each output its ‖e·M‖².</summary>
    private (sbyte[] Codes, double[] Errors) Quantize(Matrix weight, WeightGrids grids, CancellationToken cancellationToken)
    {
        var codes = new sbyte[checked(weight.Rows * weight.Columns)];
        var sums = new double[weight.Rows];
        var errors = new RealMatrix<T>(weight.Rows, weight.Columns);
        var rounding = new BlockRounding<T>(weight, _order, _upper, grids);
        var width = OuterBlocks * _options.Block;
        var carried = new RealMatrix<T>(weight.Rows, Math.Min(width, weight.Columns));
        for (var outer = 0; outer < weight.Columns; outer += width)
        {
            var last = Math.Min(outer + width, weight.Columns);
            Array.Clear(carried.Data);
            Carry(0, outer, outer, last);
            for (var start = outer; start < last; start += _options.Block)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (first, count) = (start, Math.Min(_options.Block, last - start));
                var before = carried.Block(0, start - outer, weight.Rows, count);
                Workers.For((weight.Rows + BlockRounding<T>.Lanes - 1) / BlockRounding<T>.Lanes, piece =>
                    rounding.Round(piece * BlockRounding<T>.Lanes, first, before, errors, codes, sums));
                Carry(start, start + count, start + count, last);
            }

            // Adds Σ e_i·M_ij over the inputs i in [from, to) to what the inputs j in [begin, last) carry.
            void Carry(int from, int to, int begin, int end) => RealGemm.Accumulate(
                errors.Block(0, from, weight.Rows, to - from), _upper.Block(from, begin, to - from, end - begin), carried.Block(0, begin - outer, weight.Rows, end - begin));
        }

        return (codes, sums);
    }

    /// <summary>M with M·Mᵀ = H + λ·mean(diag H)·I in the given order, where H lay: the ordinary factor of the matrix turned upside down, turned back.</summary>
    private static RealMatrix<T> FactorUpper(RealMatrix<T> h, int[] order, GptqOptions options)
    {
        h.MirrorLower();
        SymmetricOrder.Apply(h, [.. order.Reverse()]);
        var factor = DampedFactor.TryFactor(options.Compute, h, options.Damping, options.Retries, out _) ?? throw new MASQuantException(
            DiagnosticCodes.GramNotFactorable, null,
            "The calibration activations of a layer leave its error feedback undefined. Check the checkpoint for damaged weights, or quantize weights by rounding to nearest.");
        var upper = factor.Lower;
        Array.Reverse(upper.Data);
        return upper;
    }
}
