namespace MASQuant.Evaluation.Budgets;

/// <summary>One budget by its word: <c>MinSqnrText</c> as item metadata is <c>--min-sqnr-text</c> on the command line.</summary>
/// <param name="Name">The word, in the metadata's casing.</param>
/// <param name="Values">The allowed values, for people.</param>
/// <param name="Description">What it demands, one sentence.</param>
/// <param name="Apply">Sets the parsed value; null when the text is not allowed.</param>
/// <param name="Format">The value as text, such that <paramref name="Apply"/> reads it back; empty when there is none.</param>
public sealed record Budget(
    string Name,
    string Values,
    string Description,
    Func<ModelBudgets, string, ModelBudgets?> Apply,
    Func<ModelBudgets, string> Format)
{
    /// <summary>The first version that has it.</summary>
    public string Since { get; init; } = "0.1";

    /// <summary>The command line's form: <c>--min-sqnr-text</c>.</summary>
    public string Switch => "--" + string.Concat(Name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : c.ToString()));
}
