using MASQuant.Evaluation.Budgets;

namespace MASQuant.Evaluation.Tuning;

/// <summary>Holds predicted and measured points against budgets.</summary>
/// <param name="Wanted">The budgets.</param>
public sealed record TuningBudgets(ModelBudgets Wanted)
{
    /// <summary>The largest artifact, or null for any.</summary>
    public long? MaxBytes => Wanted.MaxBytes;

    /// <summary>Whether any layer has a budget of noise.</summary>
    public bool AsksForSqnr => Enum.GetValues<Modality>().Any(modality => Wanted.MinSqnr(modality) is not null);

    /// <summary>Whether the smallest artifact is wanted; otherwise the bytes are to be used as well as possible.</summary>
    public bool AsksForQuality => AsksForSqnr || Wanted.MaxEvaluationLoss is not null;

    /// <summary>Whether predicted figures keep all budgets.</summary>
    public bool ArePredictedToBeKept(TuningPoint point)
        => !(point.Bytes > MaxBytes) && !(point.Loss > Wanted.MaxEvaluationLoss) && !Enum.GetValues<Modality>().Any(modality => point.Sqnr[(int)modality] < Wanted.MinSqnr(modality));

    /// <summary>Whether measured figures keep all budgets.</summary>
    public bool AreKept(TuningPoint point)
        => point.Measured is { } measured && !(measured.ArtifactBytes > MaxBytes) && LossExcess(point) <= 0 && Enum.GetValues<Modality>().All(modality => Shortfall(point, modality) <= 0);

    /// <summary>How many dB the measured point lacks for a modality; 0 or less where it keeps the budget.</summary>
    public double Shortfall(TuningPoint point, Modality modality)
        => Wanted.MinSqnr(modality) is { } wanted ? wanted - (point.MeasuredSqnr(modality)?.Decibels ?? double.NegativeInfinity) : 0;

    /// <summary>How many nats per token the measured point has too many; 0 or less where it keeps the budget.</summary>
    public double LossExcess(TuningPoint point)
        => Wanted.MaxEvaluationLoss is { } wanted ? (point.MeasuredLoss ?? double.PositiveInfinity) - wanted : 0;
}
