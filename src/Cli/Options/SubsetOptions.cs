using System.CommandLine;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Cli.Options;

/// <summary>The options that calibrate on a part of the calibration set, shared by commands that quantize.</summary>
internal sealed class SubsetOptions
{
    private readonly Option<int> _samples = CliOptions.Number("--samples", 0, value => value >= 0, "0 or more", "Calibrates on a random part of the calibration set, of so many samples; 0 for all.");
    private readonly Option<ulong> _seed = CliOptions.Number("--subset-seed", 0UL, _ => true, "0 or more", "Seeds the draw of that part.");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_samples);
        command.Add(_seed);
    }

    /// <summary>The part that was asked for; null for the whole set.</summary>
    public CalibrationSubset? Of(ParseResult parse) => parse.GetValue(_samples) is > 0 and var samples ? new CalibrationSubset(samples, parse.GetValue(_seed)) : null;
}
