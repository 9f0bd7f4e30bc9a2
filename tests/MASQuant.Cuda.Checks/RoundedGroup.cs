using MASQuant.Engine.Layers;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Checks;

/// <summary>An input group of the processor with its inputs, its outputs or both rounded to BF16, as the device rounds there.</summary>
internal sealed class RoundedGroup(ILinearGroup group, bool inputs, bool outputs) : ILinearGroup
{
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> y)
    {
        group.Forward(inputs ? Round(x) : x, modalities, y);
        foreach (var matrix in outputs ? y : [])
        {
            BFloat16.Round(matrix.Span);
        }
    }

    private static Matrix Round(Matrix x)
    {
        var rounded = new Matrix(x.Rows, x.Columns, x.Span.ToArray());
        BFloat16.Round(rounded.Span);
        return rounded;
    }
}
