using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;

namespace MASQuant.Evaluation.Tuning;

/// <summary>What to tune, within which bounds.</summary>
/// <param name="Model">The checkpoint's folder.</param>
/// <param name="Calibration">The calibration set.</param>
/// <param name="Subset">The part of it that is used, or null.</param>
/// <param name="Output">Keeps measurements and artifacts.</param>
/// <param name="Name">The model's name.</param>
/// <param name="Combinations">What is not tuned; several to choose between, the first to begin with.</param>
/// <param name="Swept">The options in which they differ.</param>
/// <param name="Schemes">The schemes to choose from.</param>
/// <param name="Budgets">What is wanted.</param>
/// <param name="Evaluation">The conversations for the evaluation loss, or null.</param>
/// <param name="Points">The most settings to quantize.</param>
public sealed record TuningJob(
    string Model, string Calibration, CalibrationSubset? Subset, string Output, string Name, IReadOnlyList<QuantizationOptions> Combinations, IReadOnlyList<QuantizationOption> Swept, IReadOnlyList<QuantizationScheme> Schemes, TuningBudgets Budgets, string? Evaluation, int Points)
{
    /// <summary>What computes unless that is managed code; null when nobody brought it.</summary>
    public ComputeAssembly? ComputeAssembly { get; init; }

    /// <summary>The options that tuning chooses.</summary>
    public static IReadOnlyList<string> Tuned { get; } = ["Scheme", "FirstBlock", "LayerSchemes", "Rank", "RankRatio", "PatchBytes", "LayerRanks"];

    /// <summary>The options that quantize a point.</summary>
    public QuantizationOptions OptionsOf(TuningPoint point, IReadOnlyList<Modality> modalities) => point.Setting.ToOptions(Combinations[point.Combination], modalities);

    /// <summary>The values that a point has for the swept options.</summary>
    public IEnumerable<string> SweptValues(TuningPoint point) => Swept.Select(option => option.Format(Combinations[point.Combination]));

    /// <summary>The quantization of one setting, in a folder of its own.</summary>
    public QuantizationJob Point(QuantizationOptions options, string folder) => new()
    {
        ModelFolder = Model,
        CalibrationFile = Calibration,
        Subset = Subset,
        OutputFolder = folder,
        Name = Name,
        WorkFolder = "",
        Options = options,
        ComputeAssembly = ComputeAssembly,
    };
}
