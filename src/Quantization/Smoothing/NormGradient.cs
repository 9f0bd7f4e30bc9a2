using MASQuant.Engine.Layers;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Carries gradients back through <see cref="RmsNorm"/>.</summary>
internal static class NormGradient
{
    /// <summary>The same where every K values of a row are normed on their own: a head is a row.</summary>
    public static Matrix ThroughHeads(Matrix input, Norm norm, Matrix gradient)
    {
        return new(input.Rows, input.Columns, Through(Heads(input), norm, Heads(gradient)).Data);

        Matrix Heads(Matrix x) => new(x.Rows * (x.Columns / norm.Description.Size), norm.Description.Size, x.Data);
    }

    /// <summary>∂loss/∂x, given ∂loss/∂y. With r = 1/√(mean(x²)+ε): dx = r·(gain⊙dy) − x·r³/H·Σ gain⊙dy⊙x.</summary>
    /// <param name="input">x, [T, H].</param>
    /// <param name="norm">Of root mean squares.</param>
    /// <param name="gradient">∂loss/∂y, [T, H].</param>
    public static Matrix Through(Matrix input, Norm norm, Matrix gradient)
    {
        var (gain, epsilon) = (norm.Gain, norm.Description.Epsilon);
        var result = new Matrix(gradient.Rows, gradient.Columns);
        for (var t = 0; t < gradient.Rows; t++)
        {
            var x = input.Row(t);
            var d = gradient.Row(t);
            var y = result.Row(t);
            var r = RmsNorm.InverseRootMeanSquare(x, epsilon);
            var along = 0f;
            for (var j = 0; j < x.Length; j++)
            {
                along = MathF.FusedMultiplyAdd(gain[j] * d[j], x[j], along);
            }

            along *= r * r * r / x.Length;
            for (var j = 0; j < x.Length; j++)
            {
                y[j] = (r * gain[j] * d[j]) - (x[j] * along);
            }
        }

        return result;
    }
}
