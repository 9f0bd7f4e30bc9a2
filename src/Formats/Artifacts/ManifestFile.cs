using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Formats.Files;

namespace MASQuant.Formats.Artifacts;

/// <summary>Reads and writes manifests as files. The same manifest gives the same bytes: UTF-8, sorted keys, line feeds, invariant numbers.</summary>
public static class ManifestFile
{
    private const int MaxBytes = 1 << 26;

    // Beyond these figures a layer is exact (or lost), and JSON has no infinity.
    private const double MaxDecibels = 999;
    private const int Decimals = 4;

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="MASQuantException">MASQ0101 unreadable, MASQ0602 another format version, MASQ0604 malformed.</exception>
    public static Manifest Read(string path)
    {
        using var file = new MappedFile(path);
        return file.Length <= MaxBytes
            ? Parse(file.Slice<byte>(0, (int)file.Length), path)
            : throw Invalid(path, $"It has {file.Length} bytes, more than the {MaxBytes} that a manifest may have.");
    }

    /// <summary>Parses a manifest's content; <paramref name="file"/> is the name for messages.</summary>
    /// <exception cref="MASQuantException">MASQ0602 another format version, MASQ0604 malformed.</exception>
    public static Manifest Parse(ReadOnlyMemory<byte> json, string file)
    {
        try
        {
            CheckVersion(json, file);
            var manifest = JsonSerializer.Deserialize(json.Span, ManifestJson.Default.Manifest) ?? throw Invalid(file, "It is empty.");
            return ManifestCheck.ProblemOf(manifest) is { } problem ? throw Invalid(file, problem) : manifest;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Invalid(file, e.Message, e);
        }
    }

    /// <summary>The manifest's bytes.</summary>
    public static byte[] Serialize(Manifest manifest)
        => [.. JsonSerializer.SerializeToUtf8Bytes(Sorted(manifest), ManifestJson.Default.Manifest), (byte)'\n'];

    /// <summary>Writes a manifest, through a temporary file.</summary>
    /// <exception cref="MASQuantException">MASQ0111: the file cannot be written.</exception>
    public static void Write(string path, Manifest manifest) => AtomicFile.Write(path, Serialize(manifest));

    // Before anything else is read: another version may have other members.
    private static void CheckVersion(ReadOnlyMemory<byte> json, string file)
    {
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("formatVersion", out var element)
            || element.ValueKind != JsonValueKind.Number
            || !element.TryGetInt32(out var version))
        {
            throw Invalid(file, "It has no formatVersion.");
        }

        if (version != Manifest.CurrentFormatVersion)
        {
            throw OtherVersion(file, $"{version}");
        }
    }

    internal static MASQuantException OtherVersion(string file, string version)
        => new(DiagnosticCodes.ArtifactVersion, file,
            $"The file has format version {version}; this version of MASQuant reads {Manifest.CurrentFormatVersion}. Quantize the model again, or use the version of MASQuant that wrote it.");

    private static Manifest Sorted(Manifest manifest) => manifest with
    {
        Options = Sorted(manifest.Options, value => value),
        Calibration = manifest.Calibration is { } calibration ? calibration with { Tokens = Sorted(calibration.Tokens, value => value) } : null,
        Layers = [.. manifest.Layers.Select(layer => layer with { Linears = [.. layer.Linears.Select(Sorted)] })],
    };

    private static ManifestLinear Sorted(ManifestLinear linear) => linear with
    {
        Ranks = Sorted(linear.Ranks, value => value),
        EffectiveRanks = Sorted(linear.EffectiveRanks, rank => new ManifestEffectiveRank(Rounded(rank.Plain), Rounded(rank.Whitened))),
        Sqnr = Sorted(linear.Sqnr, sqnr => new ManifestSqnr(Decibels(sqnr.Before), Decibels(sqnr.After))),
    };

    private static SortedDictionary<string, T> Sorted<T>(IReadOnlyDictionary<string, T> items, Func<T, T> value)
        => new(items.ToDictionary(item => item.Key, item => value(item.Value)), StringComparer.Ordinal);

    private static double Decibels(double value) => Rounded(Math.Clamp(value, -MaxDecibels, MaxDecibels));

    private static double Rounded(double value) => Math.Round(value, Decimals);

    private static MASQuantException Invalid(string file, string message, Exception? inner = null)
        => new(DiagnosticCodes.ManifestInvalid, file, $"The manifest is malformed: {message} Quantize the model again.", inner);
}
