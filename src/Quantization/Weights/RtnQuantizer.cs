using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Weights;

/// <summary>RTN: every weight goes to its nearest code.</summary>
/// <param name="searchClip">Whether scales are searched instead of taken from the largest weight.</param>
/// <param name="secondLevel">Whether groups of 128 inputs have second-level scales, in schemes that can have them.</param>
public sealed class RtnQuantizer(bool searchClip = false, bool secondLevel = false) : IWeightQuantizer
{
    public void Release()
    {
    }

    public WeightCodes Quantize(Matrix weight, QuantizationScheme scheme, CancellationToken cancellationToken = default)
    {
        var grids = WeightGrids.Fit(weight, scheme, searchClip, importance: default, secondLevel);
        var codes = new sbyte[checked(weight.Rows * weight.Columns)];
        cancellationToken.ThrowIfCancellationRequested();
        Workers.For(weight.Rows, n =>
        {
            var row = weight.Row(n);
            for (var k = 0; k < row.Length; k++)
            {
                codes[(n * row.Length) + k] = (sbyte)grids[n, k].Code(row[k]);
            }
        });
        return grids.With(codes);
    }
}
