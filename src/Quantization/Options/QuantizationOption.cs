namespace MASQuant.Quantization.Options;

/// <summary>One option by its word: <c>DeviatingChannels</c> as item metadata is <c>--deviating-channels</c> on the command line.</summary>
/// <param name="Name">The word, in the metadata's casing.</param>
/// <param name="Values">The allowed values, for people.</param>
/// <param name="Description">What it does, one sentence.</param>
/// <param name="Apply">Sets the parsed value; null when the text is not allowed.</param>
/// <param name="Format">The value as text, such that <paramref name="Apply"/> reads it back.</param>
public sealed record QuantizationOption(
    string Name,
    string Values,
    string Description,
    Func<QuantizationOptions, string, QuantizationOptions?> Apply,
    Func<QuantizationOptions, string> Format)
{
    /// <summary>The first version that has it.</summary>
    public string Since { get; init; } = "0.1";

    /// <summary>What is wrong with a text that <see cref="Apply"/> refuses, where the allowed values alone would not tell; otherwise empty.</summary>
    public Func<string, string> Problem { get; init; } = _ => "";

    /// <summary>The end of a message about a refused text: what is wrong, what is allowed.</summary>
    public string Refusal(string text) => Problem(text) is { Length: > 0 } problem ? $"{problem}. Allowed: {Values}." : $"Allowed: {Values}.";

    /// <summary>The command line's form: <c>--deviating-channels</c>.</summary>
    public string Switch => "--" + string.Concat(Name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : c.ToString()));

    /// <summary>The default, as text.</summary>
    public string Default => Format(new QuantizationOptions());
}
