using System.CommandLine;
using System.Globalization;

namespace MASQuant.Cli.Options;

/// <summary>How many pixels images keep.</summary>
internal sealed class PixelSwitches
{
    private readonly Option<int?> _min = Create("--min-pixels", "Smaller images are enlarged to about this many pixels. Default: the checkpoint's.");
    private readonly Option<int?> _max = Create("--max-pixels", "Larger images, and frames of videos, are shrunk to this many pixels. Default: the checkpoint's, on the processor at most 1003520.");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_min);
        command.Add(_max);
    }

    /// <summary>The fewest pixels; null: the checkpoint's.</summary>
    public int? Min(ParseResult parse) => parse.GetValue(_min);

    /// <summary>The most pixels; null: the checkpoint's, and on the processor no more than it takes unasked.</summary>
    public int? Max(ParseResult parse) => parse.GetValue(_max);

    private static Option<int?> Create(string name, string description) => new(name)
    {
        HelpName = "NUMBER",
        Description = description,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var pixels) && pixels >= 1)
            {
                return pixels;
            }

            result.AddError($"'{text}' is not allowed for '{name}'. Allowed: 1 or more.");
            return null;
        },
    };
}
