using System.Numerics;
using MASQuant.Diagnostics;
using MASQuant.Gemm;
using MASQuant.Numerics;
using MASQuant.Tensors;

namespace MASQuant.Weights;

/// <summary>With H = M·Mᵀ, M upper triangular, the error of a row is ‖e·M‖², and column j of e·M depends on e_0 … e_j alone. Going through j in order, the best w̃_j to round is therefore
/// w_j + Σ_{i&lt;j} e_i·M_ij / M_jj: GPTQ's update without an inverse (the nearest-plane form; Chen et al., 2025).</summary>
internal sealed class GptqQuantizer<T> : GptqQuantizer
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int PieceRows = 8;

    private readonly GptqOptions _options;
    private readonly int[] _order;
    private readonly RealMatrix<T> _upper;
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

    public override WeightCodes Quantize(Matrix weight, QuantizationScheme scheme, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weight.Columns, _order.Length, nameof(weight));
        var grids = WeightGrids.Fit(weight, scheme, _options.SearchClip, _importance);
        var codes = new sbyte[checked(weight.Rows * weight.Columns)];
        var errors = new RealMatrix<T>(weight.Rows, weight.Columns);
        for (var start = 0; start < weight.Columns; start += _options.Block)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(_options.Block, weight.Columns - start);
            var carried = RealGemm.Multiply<T, T, T>(errors.Block(0, 0, weight.Rows, start), _upper.Block(0, start, start, count));
            Workers.For((weight.Rows + PieceRows - 1) / PieceRows, piece =>
            {
                for (var n = piece * PieceRows; n < Math.Min(weight.Rows, (piece + 1) * PieceRows); n++)
                {
                    QuantizeBlock(weight, n, start, carried.Row(n), errors.Row(n), grids, codes);
                }
            });
        }

        return grids.With(codes);
    }

    /// <summary>Rounds one output's inputs start … start + carried.Length − 1 of the order; <paramref name="carried"/> holds Σ e_i·M_ij over the inputs before.</summary>
    private void QuantizeBlock(Matrix weight, int n, int start, Span<T> carried, Span<T> errors, WeightGrids grids, sbyte[] codes)
    {
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
        }
    }

    /// <summary>M with M·Mᵀ = H + λ·mean(diag H)·I in the given order: the ordinary factor of the matrix turned upside down, turned back.</summary>
    private static RealMatrix<T> FactorUpper(RealMatrix<T> lower, int[] order, GptqOptions options)
    {
        var size = order.Length;
        var turned = new RealMatrix<T>(size, size);
        for (var i = 0; i < size; i++)
        {
            var a = order[size - 1 - i];
            for (var j = 0; j <= i; j++)
            {
                var b = order[size - 1 - j];
                turned[i, j] = a >= b ? lower[a, b] : lower[b, a];
            }
        }

        var factor = DampedCholesky.TryFactor(turned, options.Damping, options.Retries, out _) ?? throw new MasQuantException(
            DiagnosticCodes.GramNotFactorable, null,
            "The calibration activations of a layer leave its error feedback undefined. Check the checkpoint for damaged weights, or quantize weights by rounding to nearest.");
        Array.Reverse(factor.Data);
        return factor;
    }
}
