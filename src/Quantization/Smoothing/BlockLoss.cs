namespace MASQuant.Quantization.Smoothing;

/// <summary>Σ_m λ_m · mean|Y − Y*| over the tokens of each modality (paper Eq. 14).</summary>
/// <param name="weights">λ_m, indexed by <see cref="Modality"/>.</param>
internal sealed class BlockLoss(IReadOnlyList<double> weights)
{
    /// <summary>The loss of one sequence, with its gradient when asked for.</summary>
    /// <param name="output">Y, [T, H].</param>
    /// <param name="target">Y*, [T, H].</param>
    /// <param name="modalities">T entries.</param>
    /// <param name="gradient">Receives ∂loss/∂Y, or null.</param>
    public double Measure(Matrix output, Matrix target, ModalityMap modalities, Matrix? gradient)
    {
        var total = 0.0;
        for (var t = 0; t < output.Rows; t++)
        {
            var scale = weights[(int)modalities[t]] / ((double)modalities.CountOf(modalities[t]) * output.Columns);
            var y = output.Row(t);
            var goal = target.Row(t);
            var sum = 0.0;
            for (var j = 0; j < y.Length; j++)
            {
                var difference = y[j] - goal[j];
                sum += Math.Abs(difference);
                if (gradient is not null)
                {
                    gradient[t, j] = (float)scale * Math.Sign(difference);
                }
            }

            total += scale * sum;
        }

        return total;
    }
}
