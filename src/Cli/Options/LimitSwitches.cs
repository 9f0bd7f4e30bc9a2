using System.CommandLine;
using System.Globalization;

namespace MASQuant.Cli.Options;

/// <summary>How many pixels images keep, and how many frames videos.</summary>
internal sealed class LimitSwitches
{
    private readonly Option<int?> _minPixels = Count("--min-pixels", "Smaller images are enlarged to about this many pixels. Default: the checkpoint's.");
    private readonly Option<int?> _maxPixels = Count("--max-pixels", "Larger images, and frames of videos, are shrunk to this many pixels. Default: the checkpoint's, on the processor at most 1003520.");
    private readonly Option<int?> _maxFrames = Count("--max-frames", "The most frames taken of a video. Default: all.");
    private readonly Option<double?> _maxFramesPerSecond = Rate("--max-frames-per-second", "The most frames taken of a second of a video, at least 4 and at most 768 of the whole. Default: all.");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_minPixels, _maxPixels, _maxFrames, _maxFramesPerSecond])
        {
            command.Add(option);
        }
    }

    /// <summary>The limits; null where the checkpoint decides.</summary>
    public ModelOptions Of(ParseResult parse) => new()
    {
        MinPixels = parse.GetValue(_minPixels),
        MaxPixels = parse.GetValue(_maxPixels),
        MaxFrames = parse.GetValue(_maxFrames),
        MaxFramesPerSecond = parse.GetValue(_maxFramesPerSecond),
    };

    private static Option<int?> Count(string name, string description)
        => Optional<int>(name, description, "1 or more", text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= 1 ? count : null);

    private static Option<double?> Rate(string name, string description)
        => Optional<double>(name, description, "0.001…1000", text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) && rate is >= 0.001 and <= 1000 ? rate : null);

    private static Option<T?> Optional<T>(string name, string description, string allowed, Func<string, T?> read)
        where T : struct
        => new(name)
        {
            HelpName = "NUMBER",
            Description = description,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                var value = read(text);
                if (value is null)
                {
                    result.AddError($"'{text}' is not allowed for '{name}'. Allowed: {allowed}.");
                }

                return value;
            },
        };
}
