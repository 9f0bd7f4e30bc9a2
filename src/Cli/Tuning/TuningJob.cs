using MASQuant.Calibration;
using MASQuant.Gemm;
using MASQuant.Quantization;
using MASQuant.Tuning;

namespace MASQuant.Cli;

/// <summary>What to tune, within which bounds.</summary>
/// <param name="Model">The checkpoint's folder.</param>
/// <param name="Calibration">The calibration set.</param>
/// <param name="Subset">The part of it that is used, or null.</param>
/// <param name="Output">Keeps measurements and artifacts.</param>
/// <param name="Name">The model's name.</param>
/// <param name="Options">What is not tuned.</param>
/// <param name="Schemes">The schemes to choose from.</param>
/// <param name="Budgets">What is wanted.</param>
/// <param name="Evaluation">The conversations for the evaluation loss, or null.</param>
/// <param name="Points">The most settings to quantize.</param>
internal sealed record TuningJob(
    string Model, string Calibration, CalibrationSubset? Subset, string Output, string Name, QuantizationOptions Options, IReadOnlyList<QuantizationScheme> Schemes, TuningBudgets Budgets, string? Evaluation, int Points)
{
    /// <summary>The options that tuning chooses.</summary>
    public static IReadOnlyList<string> Tuned { get; } = ["Scheme", "LayerSchemes", "Rank", "RankRatio", "PatchBytes", "LayerRanks"];

    /// <summary>The quantization of one setting, in a folder of its own.</summary>
    public QuantizationJob Point(QuantizationOptions options, string folder) => new()
    {
        ModelFolder = Model,
        CalibrationFile = Calibration,
        Subset = Subset,
        OutputFolder = folder,
        Name = Name,
        WorkFolder = UnfinishedRuns.FolderOf(folder, Name),
        Options = options,
    };
}
