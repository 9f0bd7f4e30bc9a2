using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Compensation;

/// <summary>Rounds of fitting: the stored weight given the patches (<see cref="BaseRegression"/>), then the patches given the stored weight. A layer keeps a round only where it lowers the error of all modalities together and does not raise that of text.</summary>
/// <param name="options">Rounds and λ.</param>
/// <param name="statistics">The group's inputs.</param>
/// <param name="factors">The group's smoothing factors.</param>
internal sealed class Alternation(QuantizationOptions options, ActivationStatistics statistics, SmoothingFactors factors)
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
        var regression = BaseRegression.Create(statistics, factors, options.ModalityWeights, Damping);
        var least = regression.Errors(best);
        for (var round = 0; round < options.Alternations; round++)
        {
            var next = fit(regression.Targets(best, scaled));
            var errors = regression.Errors(next);
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
}
