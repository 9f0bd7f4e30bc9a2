namespace MASQuant.Evaluation.Tuning;

/// <summary>Walks from the smallest setting to the best one: every step changes the scheme or a rank of one input group, the one that lessens the noise most per byte.</summary>
/// <param name="model">Predicts.</param>
/// <param name="budgets">Say which modalities matter.</param>
internal sealed class GreedyWalk(NoiseModel model, TuningBudgets budgets)
{
    // The budgets bind the noisiest layer, so that noise counts by its fourth power.
    private const double Least = 1e-12;
    private static readonly int[] NarrowRanks = [0, 4, 8, 16, 32];
    private static readonly int[] WideRanks = [0, 16, 32, 64];

    private readonly int[] _ranks = model.Config.Text.HiddenSize >= 1024 ? WideRanks : NarrowRanks;
    private readonly Modality[] _patched = [.. model.Config.Modalities.Where(modality => modality != Modality.Text)];

    /// <summary>The settings on the way, each larger than the one before; the first has the fewest bytes that the schemes allow, without patches.</summary>
    public IReadOnlyList<TuningPoint> Run()
    {
        var setting = new ModelSetting(Enumerable.Range(0, model.Groups).Select(g => model.Schemes
            .Select(scheme => new GroupSetting(scheme, 0, 0)).OrderBy(candidate => model.Bytes(g, candidate)).ThenBy(candidate => model.Contribution(g, candidate).Sum()).First()));
        var noise = model.Uncorrected(setting);
        var weights = Weights(model.Noise(setting));
        var parts = setting.All.Select((group, g) => model.Contribution(g, group)).ToArray();
        var path = new List<TuningPoint> { TuningPoint.Of(model, setting) };
        while (Best(setting, noise, parts, weights) is { } step)
        {
            Replace(noise, parts[step.Group], step.Part, noise);
            parts[step.Group] = step.Part;
            setting = setting.With(step.Group, step.Setting);
            var point = TuningPoint.Of(model, setting);
            if (point.Bytes <= path[^1].Bytes)
            {
                path.RemoveAt(path.Count - 1); // Better and no larger.
            }

            path.Add(point);
        }

        return path;
    }

    private (int Group, GroupSetting Setting, double[] Part)? Best(ModelSetting setting, double[] noise, double[][] parts, double[] weights)
    {
        (int, GroupSetting, double[])? best = null;
        var (rate, corrections) = (0.0, model.Corrections(noise));
        var (cost, changed) = (Cost(noise, corrections, weights), new double[noise.Length]);
        for (var g = 0; g < model.Groups; g++)
        {
            foreach (var candidate in Moves(setting.All[g]))
            {
                var part = model.Contribution(g, candidate);
                Replace(noise, parts[g], part, changed);
                var gain = cost - Cost(changed, corrections, weights);
                var bytes = Math.Max(1, model.Bytes(g, candidate) - model.Bytes(g, setting.All[g]));
                if (gain > Least * cost && gain / bytes > rate)
                {
                    (rate, best) = (gain / bytes, (g, candidate, part));
                }
            }
        }

        return best;
    }

    private IEnumerable<GroupSetting> Moves(GroupSetting now)
        => model.Schemes.Where(scheme => scheme != now.Scheme).Select(scheme => now with { Scheme = scheme })
            .Concat(_patched.SelectMany(modality => _ranks.Where(rank => rank > now.Rank(modality)).Select(rank => now.With(modality, rank))));

    // 1 / allowed noise; without SQNR budgets every modality's noisiest layer counts the same at the start.
    private double[] Weights(double[] noise)
        => [.. Enum.GetValues<Modality>().Select(modality => budgets.AsksForSqnr
            ? budgets.Wanted.MinSqnr(modality) is { } wanted ? Elementary.Pow(10, wanted / 10) : 0
            : Elementary.Pow(10, NoiseModel.Sqnr(noise, modality) / 10))];

    private static double Cost(double[] noise, double[] corrections, double[] weights)
    {
        var sum = 0.0;
        for (var i = 0; i < noise.Length; i++)
        {
            var relative = noise[i] * corrections[i] * weights[i % weights.Length];
            sum += relative * relative * relative * relative;
        }

        return sum;
    }

    private static void Replace(double[] noise, double[] before, double[] after, double[] result)
    {
        for (var i = 0; i < noise.Length; i++)
        {
            result[i] = Math.Max(0, noise[i] - before[i] + after[i]);
        }
    }
}
