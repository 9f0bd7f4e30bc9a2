using System.Numerics;
using MASQuant.Diagnostics;
using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Weights;

/// <summary>With H = M·Mᵀ, M upper triangular, the error of a row is ‖e·M‖², and column j of e·M depends on e_0 … e_j alone. Going through j in order, the best w̃_j to round is therefore
/// w_j + Σ_{i&lt;j} e_i·M_ij / M_jj: GPTQ's update without an inverse (the nearest-plane form; Chen et al., 2025).</summary>
internal sealed class GptqQuantizer<T> : GptqQuantizer
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int PieceRows = 8;

    // Around the scale that rounding alone would choose.
    private static readonly float[] Stretches = [0.88f, 0.94f, 1.06f, 1.12f];

    private readonly GptqOptions _options;
    private readonly int[] _order;
    private RealMatrix<T> _upper;
    private readonly double[] _importance;

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
        _importance = new double[gram.Inputs];
        for (var j = 0; j < _order.Length; j++)
        {
            var pivot = double.CreateTruncating(_upper[j, j]);
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
        var carried = new RealMatrix<T>(weight.Rows, Math.Min(_options.Block, weight.Columns));
        for (var start = 0; start < weight.Columns; start += _options.Block)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(_options.Block, weight.Columns - start);
            Array.Clear(carried.Data);
            RealGemm.Accumulate(errors.Block(0, 0, weight.Rows, start), _upper.Block(0, start, start, count), carried.Block(0, 0, weight.Rows, count));
            Workers.For((weight.Rows + PieceRows - 1) / PieceRows, piece =>
            {
                for (var n = piece * PieceRows; n < Math.Min(weight.Rows, (piece + 1) * PieceRows); n++)
                {
                    sums[n] += QuantizeBlock(weight, n, start, carried.Row(n)[..count], errors.Row(n), grids, codes);
                }
            });
        }

        return (codes, sums);
    }

    /// <summary>Rounds one output's inputs start … start + carried.Length − 1 of the order; <paramref name="carried"/> holds Σ e_i·M_ij over the inputs before. Returns its part of ‖e·M‖².</summary>
    private double QuantizeBlock(Matrix weight, int n, int start, Span<T> carried, Span<T> errors, WeightGrids grids, sbyte[] codes)
    {
        var sum = 0.0;
        for (var j = 0; j < carried.Length; j++)
        {
            var k = _order[start + j];
            var value = weight[n, k];
            var grid = grids[n, k];
            var upper = _upper.Row(start + j).Slice(start + j, carried.Length - j);
            var code = grid.Code(value + double.CreateTruncating(carried[j] / upper[0]));
            var error = errors[start + j] = T.CreateTruncating(value - (double)grid.Value(code));
            codes[(n * weight.Columns) + k] = (sbyte)code;
            Lanes.AddScaled<T>(error, upper, carried[j..]);
            sum += double.CreateTruncating(carried[j] * carried[j]);
        }

        return sum;
    }

    /// <summary>M with M·Mᵀ = H + λ·mean(diag H)·I in the given order: the ordinary factor of the matrix turned upside down, turned back.</summary>
    private static RealMatrix<T> FactorUpper(RealMatrix<T> lower, int[] order, GptqOptions options)
    {
        var factor = DampedCholesky.TryFactor(() => Turn(lower, order), options.Damping, options.Retries, out _) ?? throw new MASQuantException(
            DiagnosticCodes.GramNotFactorable, null,
            "The calibration activations of a layer leave its error feedback undefined. Check the checkpoint for damaged weights, or quantize weights by rounding to nearest.");
        Array.Reverse(factor.Data);
        return factor;
    }

    private static RealMatrix<T> Turn(RealMatrix<T> lower, int[] order)
    {
        var size = order.Length;
        var turned = new RealMatrix<T>(size, size);
        Workers.For((size + PieceRows - 1) / PieceRows, piece =>
        {
            for (var i = piece * PieceRows; i < Math.Min(size, (piece + 1) * PieceRows); i++)
            {
                var a = order[size - 1 - i];
                for (var j = 0; j <= i; j++)
                {
                    var b = order[size - 1 - j];
                    turned[i, j] = a >= b ? lower[a, b] : lower[b, a];
                }
            }
        });
        return turned;
    }
}
