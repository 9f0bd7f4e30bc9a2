using MASQuant.Artifacts;

namespace MASQuant.Tuning;

/// <summary>Finds the setting that keeps the budgets: walk on predictions, quantize what they point to, correct the predictions by what came out, walk again.</summary>
/// <param name="model">Predicts.</param>
/// <param name="budgets">What is wanted.</param>
internal sealed class TuningSearch(NoiseModel model, TuningBudgets budgets)
{
    // A setting that promises to save less than this share is not worth another quantization.
    private const double WorthTrying = 0.005;

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
    /// <param name="quantize">Quantizes a setting for real, and measures its evaluation loss where that is asked for.</param>
    public void Run(int points, Func<TuningPoint, (Manifest Manifest, double? Loss)> quantize)
    {
        Path = new GreedyWalk(model, budgets).Run();
        while (Measured.Count < points && Next() is { } point)
        {
            var (manifest, loss) = quantize(point);
            Measured.Add(point with { Measured = manifest, MeasuredLoss = loss });
            model.Correct(point.Setting, manifest, loss);
            Path = new GreedyWalk(model, budgets).Run();
        }
    }

    private TuningPoint? Next()
    {
        var candidate = budgets.AsksForQuality
            ? Path.FirstOrDefault(budgets.ArePredictedToBeKept) ?? Path.LastOrDefault(point => !(point.Bytes > budgets.MaxBytes)) ?? Path[0]
            : Path.LastOrDefault(budgets.ArePredictedToBeKept) ?? Path[0];
        var known = Measured.Exists(point => point.Setting.Equals(candidate.Setting));
        var small = budgets.AsksForQuality && Chosen?.Measured is { } kept && candidate.Bytes > kept.ArtifactBytes * (1 - WorthTrying);
        return known || small ? null : candidate;
    }
}
