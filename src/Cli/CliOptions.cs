using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace MASQuant.Cli;

/// <summary>Options whose values are checked while parsing, and whose messages name what is allowed.</summary>
internal static class CliOptions
{
    /// <summary>A text such as a file's name.</summary>
    public static Option<string> Text(string name, string label, string description, bool required = false)
        => new(name) { HelpName = label, Description = description, Required = required };

    /// <summary>A number; without the option <paramref name="initial"/>.</summary>
    public static Option<T> Number<T>(string name, T initial, Func<T, bool> isAllowed, string allowed, string description)
        where T : struct, INumber<T>
        => new(name)
        {
            HelpName = "NUMBER",
            Description = string.Create(CultureInfo.InvariantCulture, $"{description} Allowed: {allowed}. Default: {initial}."),
            DefaultValueFactory = _ => initial,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && isAllowed(value))
                {
                    return value;
                }

                result.AddError($"'{text}' is not allowed for '{name}'. Allowed: {allowed}.");
                return initial;
            },
        };
}
