using System.Globalization;
using MASQuant.Diagnostics;

namespace MASQuant.Evaluation.Budgets;

/// <summary>Every budget once: item metadata, command line and documentation read this table.</summary>
public static class BudgetTable
{
    /// <summary>The word that names the conversations on which <c>MaxEvaluationLoss</c> is measured.</summary>
    public const string EvaluationWord = "Evaluation";

    private const double MaxDecibels = 300;

    /// <summary>The budgets, in the order in which documentation lists them.</summary>
    public static IReadOnlyList<Budget> All { get; } =
    [
        Sqnr(nameof(ModelBudgets.MinSqnrText), "text", b => b.MinSqnrText, (b, v) => b with { MinSqnrText = v }),
        Sqnr(nameof(ModelBudgets.MinSqnrVision), "images and videos", b => b.MinSqnrVision, (b, v) => b with { MinSqnrVision = v }),
        Sqnr(nameof(ModelBudgets.MinSqnrAudio), "audio", b => b.MinSqnrAudio, (b, v) => b with { MinSqnrAudio = v }),
        new(nameof(ModelBudgets.MaxBytes), "a number, with kB, MB or GB (1000³) if wanted", "The artifact takes at most so many bytes.",
            (b, text) => TryBytes(text, out var bytes) ? b with { MaxBytes = bytes } : null,
            b => b.MaxBytes?.ToString(CultureInfo.InvariantCulture) ?? ""),
        new(nameof(ModelBudgets.MaxEvaluationLoss), "nats ≥ 0", "On the conversations of Evaluation, KL(full precision‖quantized) is at most so large, mean per token of the answers.",
            (b, text) => TryNumber(text, 0, 1e6, out var value) ? b with { MaxEvaluationLoss = value } : null,
            b => Text(b.MaxEvaluationLoss)),
    ];

    /// <summary>Reads budgets from words and values. Empty values mean none; unknown words are left to the caller.</summary>
    /// <exception cref="MASQuantException">MASQ0502: a value that is not allowed; the message names those that are.</exception>
    public static ModelBudgets Read(IReadOnlyDictionary<string, string> words, string? file = null)
    {
        var budgets = new ModelBudgets();
        foreach (var budget in All)
        {
            if (words.TryGetValue(budget.Name, out var text) && text.Trim() is { Length: > 0 } value)
            {
                budgets = budget.Apply(budgets, value) ?? throw new MASQuantException(DiagnosticCodes.OptionNotAllowed, file,
                    $"{budget.Name}='{value}' is not allowed. Allowed: {budget.Values}.");
            }
        }

        return budgets;
    }

    /// <summary>The budgets that are set, as words; <see cref="Read"/> gives the same budgets back.</summary>
    public static SortedDictionary<string, string> Write(ModelBudgets budgets)
    {
        var words = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var budget in All)
        {
            if (budget.Format(budgets) is { Length: > 0 } value)
            {
                words[budget.Name] = value;
            }
        }

        return words;
    }

    private static Budget Sqnr(string name, string subject, Func<ModelBudgets, double?> get, Func<ModelBudgets, double, ModelBudgets> set)
        => new(name, "dB", $"The SQNR of every quantized layer's output is at least so high for {subject}.",
            (b, text) => TryNumber(text, -MaxDecibels, MaxDecibels, out var value) ? set(b, value) : null,
            b => Text(get(b)));

    private static string Text(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static bool TryNumber(string text, double low, double high, out double value)
        => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && value >= low && value <= high;

    private static bool TryBytes(string text, out long bytes)
    {
        bytes = 0;
        (string Unit, double Factor)[] units = [("kB", 1e3), ("MB", 1e6), ("GB", 1e9)];
        var (unit, factor) = units.FirstOrDefault(candidate => text.EndsWith(candidate.Unit, StringComparison.OrdinalIgnoreCase), ("", 1));
        if (!TryNumber(text[..^unit.Length].TrimEnd(), 0, 9e18 / factor, out var value))
        {
            return false;
        }

        bytes = (long)Math.Floor(value * factor);
        return true;
    }
}
