using MASQuant.Engine.Models;

namespace MASQuant.Evaluation.Scores;

/// <summary>What is evaluated.</summary>
/// <param name="Model">The reference's folder.</param>
/// <param name="Artifacts">The models to compare with it.</param>
/// <param name="Data">The conversations.</param>
/// <param name="Limit">The most conversations of a task; 0 for all.</param>
/// <param name="MaxTokens">The most tokens of a generated answer; 0 generates none.</param>
/// <param name="CalibrationFile">The calibration set, or null to look for it.</param>
/// <param name="Device">Where the models run; null leaves it to the environment.</param>
public sealed record EvaluationJob(string Model, IReadOnlyList<string> Artifacts, string Data, int Limit, int MaxTokens, string? CalibrationFile, string? Device = null)
{
    /// <summary>How many pixels images keep, and how many frames videos.</summary>
    public ModelOptions Limits { get; init; } = new();

    /// <summary>Whether an artifact may be the reference. Its figures then tell nothing of full precision.</summary>
    public bool QuantizedReference { get; init; }

    /// <summary>How models are loaded.</summary>
    internal ModelOptions Load => Limits with { Device = Device, Limits = ImageBudget.OwnPrompts };
}
