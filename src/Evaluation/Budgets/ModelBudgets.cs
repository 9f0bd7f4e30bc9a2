namespace MASQuant.Evaluation.Budgets;

/// <summary>What a quantized model must keep to. Budgets shape no artifact: they are checked against what its manifest says.</summary>
public sealed record ModelBudgets
{
    /// <summary>The lowest <see cref="ModelSqnr"/> for text, in dB; null for any.</summary>
    public double? MinSqnrText { get; init; }

    /// <summary>The lowest <see cref="ModelSqnr"/> for images and videos, in dB; null for any.</summary>
    public double? MinSqnrVision { get; init; }

    /// <summary>The lowest <see cref="ModelSqnr"/> for audio, in dB; null for any.</summary>
    public double? MinSqnrAudio { get; init; }

    /// <summary>The largest artifact, in bytes; null for any.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>The largest <see cref="EvaluationLoss.KullbackLeibler"/>, in nats per token; null for any.</summary>
    public double? MaxEvaluationLoss { get; init; }

    /// <summary>The lowest SQNR for a modality, in dB; null for any.</summary>
    public double? MinSqnr(Modality modality) => modality switch
    {
        Modality.Vision => MinSqnrVision,
        Modality.Audio => MinSqnrAudio,
        _ => MinSqnrText,
    };
}
