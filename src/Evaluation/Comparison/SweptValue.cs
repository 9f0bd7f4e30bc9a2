namespace MASQuant.Evaluation.Comparison;

/// <summary>A value that a sweep gave to an option.</summary>
/// <param name="Option">The option's word.</param>
/// <param name="Value">Its value.</param>
public sealed record SweptValue(string Option, string Value)
{
    /// <summary>The value in letters, digits and underscores, for a model's name; other values of the option give other texts.</summary>
    public string Identifier => Option + string.Concat(Value.Select(Letter));

    private static string Letter(char c) => c switch
    {
        '.' => "p",
        '-' => "m",
        ',' => "_",
        _ when char.IsAsciiLetterOrDigit(c) => c.ToString(),
        _ => $"_{(int)c:x}_",
    };
}
