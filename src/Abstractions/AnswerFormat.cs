namespace MASQuant;

/// <summary>What an answer is held to: tokens that would leave it are never chosen.</summary>
public sealed record AnswerFormat
{
    private AnswerFormat(string? schema) => Schema = schema;

    /// <summary>The schema; null: any object.</summary>
    public string? Schema { get; }

    /// <summary>An answer that is a JSON object.</summary>
    public static AnswerFormat Json { get; } = new((string?)null);

    /// <summary>An answer that is valid against a JSON schema, unless <see cref="GenerationOptions.MaxTokens"/> end it first.</summary>
    /// <param name="schema">Of 2020-12: type, enum, const, properties, required, items, minItems, maxItems, minLength, maxLength, anyOf, and references within it that do not lead to themselves. Whatever else it asks for is refused (MASQ0903) when an answer is asked for.</param>
    public static AnswerFormat JsonSchema(string schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return new AnswerFormat(schema);
    }
}
