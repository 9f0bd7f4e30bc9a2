using System.Text.Json;

namespace MASQuant.Tests;

/// <summary>Tiny checkpoints of further families with goldens, too large for the repository: in the folder that <c>MASQUANT_FAMILIES</c> names, or in <c>shared/fixtures/families</c> beside the checkout. Tests that need them are skipped where they are not there.</summary>
internal static class FamilyFixtures
{
    public const string Qwen2VL = "qwen2-vl-tiny";
    public const string Qwen3VL = "qwen3-vl-tiny";
    public const string Qwen35 = "qwen3_5-tiny";

    private static readonly string[] Families = [Qwen2VL, Qwen3VL, Qwen35];
    private static readonly string[] Names = ["text", "text-no-system", "image", "image-resized", "image-small", "two-images", "video", "video-odd", "image-video"];

    public static TheoryData<string, string> All => Of(_ => true);

    /// <summary>The cases with pictures.</summary>
    public static TheoryData<string, string> Seen => Of(name => !name.StartsWith("text", StringComparison.Ordinal));

    private static string Root => Environment.GetEnvironmentVariable("MASQUANT_FAMILIES") is { Length: > 0 } named ? named : Path.Combine(RepositoryFiles.Root, "..", "shared", "fixtures", "families");

    /// <summary>A checkpoint's folder; skips the test where it is not there.</summary>
    public static string Model(string family)
    {
        var folder = Path.Combine(Root, family);
        Skip.IfNot(Directory.Exists(folder), $"The fixtures of {family} are not here; MASQUANT_FAMILIES may name their folder.");
        return folder;
    }

    public static Golden Golden(string family, string name)
    {
        Model(family);
        return Tests.Golden.Load($"{family}/{name}", Path.Combine(Root, "goldens", family));
    }

    /// <summary>A file beside a checkpoint's goldens.</summary>
    public static string GoldenFile(string family, string name) => Path.Combine(Root, "goldens", family, name);

    /// <summary>A case of omni-tiny that sees and hears a video.</summary>
    public static Golden OmniVideo(string name)
    {
        var folder = Path.Combine(Root, "goldens", "omni-video");
        Skip.IfNot(Directory.Exists(folder), "The fixtures of videos with sound are not here; MASQUANT_FAMILIES may name their folder.");
        return Tests.Golden.Load($"omni/{name}", folder);
    }

    /// <summary>A table of the reference's answers.</summary>
    public static JsonElement Table(string name)
    {
        var file = Path.Combine(Root, "goldens", "tables", name + ".json");
        Skip.IfNot(File.Exists(file), $"The table {name} is not here; MASQUANT_FAMILIES may name its folder.");
        return JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
    }

    /// <summary>The conversation that a golden answers.</summary>
    public static IReadOnlyList<ChatMessage> Messages(Golden golden)
    {
        var files = new Queue<string>(golden.Files);
        return [.. golden.Json.GetProperty("messages").EnumerateArray().Select(message => new ChatMessage(
            message.GetProperty("role").GetString() == "system" ? ChatRole.System : ChatRole.User, [.. Parts(message.GetProperty("content"), files, golden)]))];
    }

    private static IEnumerable<ContentPart> Parts(JsonElement content, Queue<string> files, Golden golden)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            yield return new TextPart(content.GetString()!);
            yield break;
        }

        foreach (var part in content.EnumerateArray())
        {
            yield return part.GetProperty("type").GetString() switch
            {
                "image" => new ImagePart(MediaSource.File(files.Dequeue())),
                "video" => new VideoPart([.. Enumerable.Range(0, files.Count).Select(_ => MediaSource.File(files.Dequeue()))], golden.Json.GetProperty("fps").GetDouble()),
                _ => new TextPart(part.GetProperty("text").GetString()!),
            };
        }
    }

    private static TheoryData<string, string> Of(Func<string, bool> among)
    {
        var cases = new TheoryData<string, string>();
        foreach (var family in Families)
        {
            foreach (var name in Names.Where(among))
            {
                cases.Add(family, name);
            }
        }

        return cases;
    }
}
