namespace MASQuant.Quantization.Smoothing;

/// <summary>Adam (β₁ 0.9, β₂ 0.999) over a set of parameter arrays, without weight decay.</summary>
internal sealed class Adam
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;
    private readonly (float[] Values, float[] Gradients, double[] Mean, double[] Square)[] _parameters;
    private int _step;

    /// <summary>Takes the arrays to update and their gradients.</summary>
    public Adam(IEnumerable<(float[] Values, float[] Gradients)> parameters)
        => _parameters = [.. parameters.Select(p => (p.Values, p.Gradients, new double[p.Values.Length], new double[p.Values.Length]))];

    /// <summary>One step; gradients are cleared. Entries that never had a gradient stay as they are.</summary>
    public void Step(double learningRate)
    {
        _step++;
        var correction1 = 1 - Elementary.Pow(Beta1, _step);
        var correction2 = 1 - Elementary.Pow(Beta2, _step);
        foreach (var (values, gradients, mean, square) in _parameters)
        {
            for (var i = 0; i < values.Length; i++)
            {
                double g = gradients[i];
                mean[i] = (Beta1 * mean[i]) + ((1 - Beta1) * g);
                square[i] = (Beta2 * square[i]) + ((1 - Beta2) * g * g);
                values[i] -= (float)(learningRate * (mean[i] / correction1) / (Math.Sqrt(square[i] / correction2) + Epsilon));
            }

            Array.Clear(gradients);
        }
    }
}
