using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Q_w((s⊙W)·H) as numbers, for one factor s and the rotation H: rounded to the nearest code per output (or per group), with the gradient of s.</summary>
/// <param name="weight">W, [N, K].</param>
/// <param name="scheme">Bits.</param>
/// <param name="groupSize">Inputs that share a scale in a scheme with quantized activations; 0 for all. Second-level scales count as exact here.</param>
/// <param name="rotationBlock">The block of H; 0 for none.</param>
internal sealed class FakeQuantizedWeight(Matrix weight, QuantizationScheme scheme, int groupSize = 0, int rotationBlock = 0)
{
    private const int RowsPerPiece = 32;
    private const int ColumnsPerPiece = 256;
    private readonly Matrix _rotated = new(weight.Rows, weight.Columns);
    private readonly Matrix _gradient = new(weight.Rows, weight.Columns);
    private readonly int _groupSize = groupSize > 0 ? groupSize : weight.Columns;
    private readonly int[] _peaks = new int[weight.Rows * (groupSize > 0 ? weight.Columns / groupSize : 1)];

    /// <summary>Q_w((s⊙W)·H), [N, K].</summary>
    public Matrix Rounded { get; } = new(weight.Rows, weight.Columns);

    /// <summary>Recomputes <see cref="Rounded"/>.</summary>
    public void Refresh(float[] factor) => Workers.For(Pieces(weight.Rows, RowsPerPiece), piece =>
    {
        for (var n = piece * RowsPerPiece; n < Math.Min((piece + 1) * RowsPerPiece, weight.Rows); n++)
        {
            var rotated = _rotated.Row(n);
            VectorProduct.Multiply(weight.Row(n), factor, rotated);
            BlockHadamard.Apply(rotated, rotationBlock);
            if (scheme.QuantizesActivations)
            {
                for (var start = 0; start < rotated.Length; start += _groupSize)
                {
                    _peaks[Group(n, start)] = FakeQuantizer.Round(rotated.Slice(start, _groupSize), scheme.WeightMax, Rounded.Row(n).Slice(start, _groupSize));
                }
            }
            else
            {
                GroupFakeQuantizer.Round(rotated, Rounded.Row(n));
            }
        }
    });

    /// <summary>Adds ∂loss/∂log s, given ∂loss/∂Y [T, N] and the input X̂ [T, K] of Y = X̂·Q_w((s⊙W)·H)ᵀ.</summary>
    public void AddFactorGradient(Matrix outputGradient, Matrix input, float[] factor, float[] factorGradient)
    {
        FloatGemm.Multiply(outputGradient, transposeA: true, input, transposeB: false, _gradient, accumulate: false);
        Workers.For(Pieces(weight.Rows, RowsPerPiece), piece =>
        {
            for (var n = piece * RowsPerPiece; n < Math.Min((piece + 1) * RowsPerPiece, weight.Rows); n++)
            {
                if (scheme.QuantizesActivations)
                {
                    for (var start = 0; start < weight.Columns; start += _groupSize)
                    {
                        FakeQuantizer.AddScaleGradient(_rotated.Row(n).Slice(start, _groupSize), Rounded.Row(n).Slice(start, _groupSize), _peaks[Group(n, start)], _gradient.Row(n).Slice(start, _groupSize));
                    }
                }
                else
                {
                    GroupFakeQuantizer.AddScaleGradient(_rotated.Row(n), Rounded.Row(n), _gradient.Row(n));
                }

                BlockHadamard.Apply(_gradient.Row(n), rotationBlock);
            }
        });
        Workers.For(Pieces(weight.Columns, ColumnsPerPiece), piece =>
        {
            var start = piece * ColumnsPerPiece;
            var count = Math.Min(ColumnsPerPiece, weight.Columns - start);
            var sums = new float[count];
            for (var n = 0; n < weight.Rows; n++)
            {
                VectorProduct.AddProduct(_gradient.Row(n).Slice(start, count), weight.Row(n).Slice(start, count), sums);
            }

            VectorProduct.AddProduct(sums, factor.AsSpan(start, count), factorGradient.AsSpan(start, count));
        });
    }

    private int Group(int n, int start) => (n * (weight.Columns / _groupSize)) + (start / _groupSize);

    private static int Pieces(int extent, int size) => (extent + size - 1) / size;
}
