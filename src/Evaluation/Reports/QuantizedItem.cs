using System.Globalization;
using System.Security;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Options;

namespace MASQuant.Evaluation.Reports;

/// <summary>What makes a model again, to paste into a project or a shell.</summary>
public static class QuantizedItem
{
    /// <summary>The words that differ from the defaults; with them the same artifact is made. What <c>Method</c> presets is written out.</summary>
    /// <param name="options">Words and values, as manifests have them.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> Words(IReadOnlyDictionary<string, string> options)
    {
        var defaults = OptionTable.Write(new QuantizationOptions());
        return [.. OptionTable.All.Where(option => option.Name != "Method" && options.TryGetValue(option.Name, out var value) && value != defaults.GetValueOrDefault(option.Name, ""))
            .Select(option => KeyValuePair.Create(option.Name, options[option.Name]))];
    }

    /// <summary>The item.</summary>
    /// <param name="model">The checkpoint's folder.</param>
    /// <param name="calibration">The calibration set.</param>
    /// <param name="words">Options, and what else it is to have.</param>
    public static string Of(string model, string calibration, IEnumerable<KeyValuePair<string, string>> words)
        => $"<QuantizedModel Include=\"{SecurityElement.Escape(model)}\" Calibration=\"{SecurityElement.Escape(calibration)}\"{string.Concat(words.Select(word => $" {word.Key}=\"{SecurityElement.Escape(word.Value)}\""))} />";

    /// <summary>The item of a manifest, which has names and no folders; the command where the calibration set was drawn from, which items do not do. Null where there was none.</summary>
    public static string? Of(Manifest manifest)
    {
        if (manifest.Calibration is not { } calibration)
        {
            return null;
        }

        var words = Words(new Dictionary<string, string>(manifest.Options));
        if (calibration.SubsetSeed is { } seed)
        {
            return Command(manifest.Source, calibration.File, string.Create(CultureInfo.InvariantCulture, $" --name {manifest.Name} --samples {calibration.Samples} --subset-seed {seed}"), words);
        }

        return Of(manifest.Source, calibration.File, [KeyValuePair.Create("Name", manifest.Name), .. words]);
    }

    /// <summary>The command.</summary>
    /// <param name="model">The checkpoint's folder.</param>
    /// <param name="calibration">The calibration set.</param>
    /// <param name="switches">What stands before the options.</param>
    /// <param name="words">Options.</param>
    public static string Command(string model, string calibration, string switches, IEnumerable<KeyValuePair<string, string>> words)
    {
        var names = OptionTable.All.ToDictionary(option => option.Name, option => option.Switch);
        return $"masquant quantize {Quoted(model)} --calibration {Quoted(calibration)}{switches}{string.Concat(words.Select(word => $" {names[word.Key]} {Quoted(word.Value)}"))} --output out";
    }

    private static string Quoted(string text) => text.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:,".Contains(c, StringComparison.Ordinal)) && text.Length > 0 ? text : $"\"{text}\"";
}
