using MASQuant.Formats.Artifacts;

namespace MASQuant.Evaluation.Tuning;

/// <summary>Finds the setting that keeps the budgets: walk on predictions, quantize what they point to, correct the predictions by what came out, walk again. Where other options are to be chosen as well, the first setting is quantized with each combination of them, and the search goes on with the one that then promises most.</summary>
/// <param name="model">Predicts.</param>
/// <param name="budgets">What is wanted.</param>
/// <param name="combinations">How many combinations of other options there are.</param>
public sealed class TuningSearch(NoiseModel model, TuningBudgets budgets, int combinations = 1)
{
    // A setting that promises to save less than this share is not worth another quantization.
    private const double WorthTrying = 0.005;

    private readonly NoiseModel[] _models = [.. Enumerable.Repeat(model, combinations)];

    /// <summary>What predicts now.</summary>
    public NoiseModel Model => _models[Path[0].Combination];

    /// <summary>Everything that was quantized, in order.</summary>
    public List<TuningPoint> Measured { get; } = [];

    /// <summary>The last walk.</summary>
    public IReadOnlyList<TuningPoint> Path { get; private set; } = [];

    /// <summary>The measured point that keeps the budgets best: the smallest, or where only bytes are given the one with the least noise; null when none keeps them.</summary>
    public TuningPoint? Chosen => Measured.Where(budgets.AreKept)
        .OrderBy(point => budgets.AsksForQuality ? point.Measured!.ArtifactBytes : -model.Config.Modalities.Min(modality => point.MeasuredSqnr(modality)?.Decibels ?? double.PositiveInfinity))
        .ThenBy(point => point.Measured!.ArtifactBytes).FirstOrDefault();

    /// <summary>Searches.</summary>
    /// <param name="points">The most settings to quantize.</param>
    /// <param name="quantize">Quantizes a point for real, and measures its evaluation loss where that is asked for.</param>
    public void Run(int points, Func<TuningPoint, (Manifest Manifest, double? Loss)> quantize)
    {
        var first = First(points);
        foreach (var point in first)
        {
            Measure(point, quantize);
        }

        Path = MostPromising(first.Count);
        while (Measured.Count < points && Next() is { } point)
        {
            Measure(point, quantize);
            Path = Walk(point.Combination);
        }
    }

    /// <summary>What is quantized first and does not depend on what comes out: the first setting with each combination.</summary>
    /// <param name="points">The most settings to quantize.</param>
    public IReadOnlyList<TuningPoint> First(int points)
    {
        Path = Walk(0);
        var first = Candidate(Path);
        return [.. Enumerable.Range(0, Math.Min(points, combinations)).Select(combination => first with { Combination = combination })];
    }

    private void Measure(TuningPoint point, Func<TuningPoint, (Manifest Manifest, double? Loss)> quantize)
    {
        var (manifest, loss) = quantize(point);
        Measured.Add(point with { Measured = manifest, MeasuredLoss = loss });
        _models[point.Combination] = _models[point.Combination].Corrected(point.Setting, manifest, loss);
    }

    private IReadOnlyList<TuningPoint> Walk(int combination)
        => [.. new GreedyWalk(_models[combination], budgets).Run().Select(point => point with { Combination = combination })];

    // Whose candidate is expected to keep the budgets, with the fewest bytes or the least noise; the earlier of equals.
    private IReadOnlyList<TuningPoint> MostPromising(int tried)
        => Enumerable.Range(0, tried).Select(Walk).Select(path => (Path: path, Candidate: Candidate(path), Kept: budgets.ArePredictedToBeKept(Candidate(path))))
            .OrderByDescending(found => found.Kept)
            .ThenBy(found => budgets.AsksForQuality && found.Kept ? found.Candidate.Bytes : -model.Config.Modalities.Min(modality => found.Candidate.Sqnr[(int)modality]))
            .First().Path;

    private TuningPoint? Next()
    {
        var candidate = Candidate(Path);
        var known = Measured.Exists(point => point.Key.Equals(candidate.Key));
        var small = budgets.AsksForQuality && Chosen?.Measured is { } kept && candidate.Bytes > kept.ArtifactBytes * (1 - WorthTrying);
        return known || small ? null : candidate;
    }

    // Where the walk meets the budgets; where it never does, as near as the bytes allow.
    private TuningPoint Candidate(IReadOnlyList<TuningPoint> path) => budgets.AsksForQuality
        ? path.FirstOrDefault(budgets.ArePredictedToBeKept) ?? path.LastOrDefault(point => !(point.Bytes > budgets.MaxBytes)) ?? path[0]
        : path.LastOrDefault(budgets.ArePredictedToBeKept) ?? path[0];
}
