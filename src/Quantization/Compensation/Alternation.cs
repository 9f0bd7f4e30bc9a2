using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Compensation;

/// <summary>Rounds of fitting: the stored weight given the patches (<see cref="BaseRegression"/>), then the patches given the stored weight. A layer keeps a round only where it lowers the error of all modalities together and does not raise that of text.</summary>
/// <param name="options">Rounds and λ.</param>
/// <param name="statistics">The group's inputs.</param>
/// <param name="factors">The group's smoothing factors.</param>
/// <param name="compute">Factors and solves.</param>
internal sealed class Alternation(QuantizationOptions options, ActivationStatistics statistics, SmoothingFactors factors, ICompute compute)
{
    // δ of the regression: it holds the stored weight where the calibration set says little.
    private const double Damping = 0.1;

    /// <summary>Runs all rounds.</summary>
    /// <param name="weights">s_b⊙W of each layer of the group, [N, K]; read one by one where there are no rounds.</param>
    /// <param name="fit">Quantizes weights and fits patches to them.</param>
    public GroupFit Run(IEnumerable<Matrix> weights, Func<IEnumerable<Matrix>, GroupFit> fit)
    {
        if (options.Alternations == 0)
        {
            return fit(weights);
        }

        Matrix[] scaled = [.. weights];
        var best = fit(scaled);
        var regression = BaseRegression.Create(statistics, factors, options.ModalityWeights, Damping, compute);
        var least = Errors(best);
        for (var round = 0; round < options.Alternations; round++)
        {
            var next = fit(regression.Targets(best, scaled));
            var errors = Errors(next);
            var better = errors.Zip(least, (now, before) => now.All < before.All && now.Text <= before.Text).ToArray();
            if (!better.Contains(true))
            {
                break;
            }

            best = best.Take(next, i => better[i]);
            least = [.. least.Select((before, i) => better[i] ? errors[i] : before)];
        }

        return best;
    }

    // For each layer, the squared output errors per token with the patches: of text, and Σ_m λ_m of all.
    private (double Text, double All)[] Errors(GroupFit fit)
    {
        var errors = new (double Text, double All)[fit.Codes.Length];
        for (var i = 0; i < errors.Length; i++)
        {
            foreach (var modality in Enum.GetValues<Modality>())
            {
                if (fit.Residuals[i][(int)modality] is { } residual && options.ModalityWeights[(int)modality] > 0)
                {
                    var error = fit.Patches[i].Noise[(int)modality] / residual.Tokens;
                    errors[i].All += options.ModalityWeights[(int)modality] * error;
                    errors[i].Text = modality == Modality.Text ? error : errors[i].Text;
                }
            }
        }

        return errors;
    }
}
