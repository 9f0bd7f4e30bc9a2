using System.Text.Json;

namespace MASQuant.Tasks;

/// <summary>The files whose contents shape an artifact.</summary>
internal static class ModelInputs
{
    private static readonly string[] CheckpointPatterns = ["*.safetensors", "*.json", "*.txt"];
    private static readonly string[] MediaKinds = ["image", "audio", "video"];

    /// <summary>The checkpoint's files, sorted by name.</summary>
    public static IReadOnlyList<string> OfCheckpoint(string folder)
        => [.. CheckpointPatterns.SelectMany(pattern => Directory.EnumerateFiles(folder, pattern)).Order(StringComparer.Ordinal)];

    /// <summary>The media files that a calibration set names and that exist, sorted. Lines that are no chats, and paths that leave the set's folder, are left to the pipeline, which refuses them: whatever they name is not read.</summary>
    public static IReadOnlyList<string> OfCalibration(string file)
    {
        var media = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(file))
        {
            try
            {
                using var row = JsonDocument.Parse(line);
                Collect(row.RootElement, Path.GetDirectoryName(file)!, media);
            }
            catch (JsonException)
            {
            }
        }

        return [.. media];
    }

    private static void Collect(JsonElement element, string folder, SortedSet<string> media)
    {
        foreach (var item in element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : default)
        {
            Collect(item, folder, media);
        }

        foreach (var member in element.ValueKind == JsonValueKind.Object ? element.EnumerateObject() : default)
        {
            foreach (var name in MediaKinds.Contains(member.Name) ? Names(member.Value) : [])
            {
                Add(name, folder, media);
            }

            Collect(member.Value, folder, media);
        }
    }

    // A file, or a video's frames.
    private static IEnumerable<string> Names(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => value.EnumerateArray().Where(frame => frame.ValueKind == JsonValueKind.String).Select(frame => frame.GetString()!),
        _ => [],
    };

    private static void Add(string name, string folder, SortedSet<string> media)
    {
        var path = name.Contains('\0') ? "" : Path.GetFullPath(name, folder);
        if (path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) && File.Exists(path))
        {
            media.Add(path);
        }
    }
}
