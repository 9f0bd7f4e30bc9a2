using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Quantization.Facts;

/// <summary>The files of a run's facts and times, beside its artifact. They serve reports alone: one that is missing, damaged or of another version is as good as none.</summary>
public static class FactsFile
{
    /// <summary>How the name of a facts file ends.</summary>
    public const string FactsSuffix = ".masquant.facts.json";

    /// <summary>How the name of a times file ends.</summary>
    public const string TimesSuffix = ".masquant.times.json";

    private const long MaxBytes = 1 << 26;
    private const double MaxSeconds = 1e9; // Thirty years; sums of as many as a file holds are times yet.

    /// <summary>Writes both.</summary>
    /// <exception cref="MASQuantException">MASQ0111: a file cannot be written.</exception>
    public static void Write(string folder, string name, RunFacts facts, RunTimes times)
    {
        AtomicFile.Write(Path.Combine(folder, name + FactsSuffix), Serialize(facts, FactsJson.Default.RunFacts));
        AtomicFile.Write(Path.Combine(folder, name + TimesSuffix), Serialize(times, FactsJson.Default.RunTimes));
    }

    /// <summary>Deletes both, of an artifact that is about to be replaced.</summary>
    /// <exception cref="MASQuantException">MASQ0111: a file cannot be deleted.</exception>
    public static void Delete(string folder, string name)
    {
        foreach (var file in (string[])[Path.Combine(folder, name + FactsSuffix), Path.Combine(folder, name + TimesSuffix)])
        {
            FileBorder.Write(file, () => FileSystem.Current.Delete(file));
        }
    }

    /// <summary>The facts beside an artifact or a manifest, or null.</summary>
    public static RunFacts? ReadFacts(string model)
        => Read(Beside(model, FactsSuffix), FactsJson.Default.RunFacts) is { FormatVersion: RunFacts.CurrentFormatVersion } facts && facts.Blocks.All(IsWhole) ? facts : null;

    /// <summary>The times beside an artifact or a manifest, or null.</summary>
    public static RunTimes? ReadTimes(string model) => Read(Beside(model, TimesSuffix), FactsJson.Default.RunTimes) is { } times && AreSeconds([times.Prepare, times.Write]) && times.Blocks.All(block => block is not null && AreSeconds(block.Values)) ? times : null;

    /// <summary>Reads seconds by stage, or null.</summary>
    public static SortedDictionary<string, double>? ReadSeconds(string path) => Read(path, FactsJson.Default.SortedDictionaryStringDouble) is { } seconds && AreSeconds(seconds.Values) ? seconds : null;

    /// <summary>The bytes of one line of JSON.</summary>
    public static byte[] Serialize<T>(T content, JsonTypeInfo<T> type) => [.. JsonSerializer.SerializeToUtf8Bytes(content, type), (byte)'\n'];

    /// <summary>Reads one line of JSON, or null.</summary>
    public static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return File.Exists(path) && FileSystem.Current.Info(path).Length <= MaxBytes ? JsonSerializer.Deserialize(FileSystem.Current.ReadAllBytes(path), type) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether the numbers fit each other, as readers of the file rely on.</summary>
    public static bool IsWhole(BlockFacts? block)
        => block is not null
            && block.Misalignment.All(entry => entry is { RangeRatios.Count: 5 } && entry.RangeRatios.All(double.IsFinite) && double.IsFinite(entry.PredictedLoss) && double.IsFinite(entry.PredictedSmoothedLoss) && double.IsFinite(entry.MeasuredLoss ?? 0))
            && block.Spectra.All(entry => entry is { Count: > 0 } && SpectrumSampling.Places(entry.Count).Length is var places && IsSpectrum(entry.Plain, places) && IsSpectrum(entry.Whitened, places));

    private static bool IsSpectrum(IReadOnlyList<double> values, int places) => values.Count == places && values.All(value => value >= 0 && double.IsFinite(value));

    private static bool AreSeconds(IEnumerable<double> values) => values.All(value => value is >= 0 and <= MaxSeconds);

    private static string Beside(string model, string suffix)
    {
        foreach (var known in (string[])[ModelFiles.ArtifactSuffix, ModelFiles.ManifestSuffix])
        {
            if (model.EndsWith(known, StringComparison.Ordinal))
            {
                return model[..^known.Length] + suffix;
            }
        }

        return model + suffix;
    }
}
