using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layouts;

/// <summary>Nothing in a configuration file is ignored in silence: of every member that tools write, a changed value is refused or read as another, or it is listed here with the reason why it cannot matter.</summary>
public sealed class EveryKeyTests
{
    private static readonly string[] Files = ["config.json", "generation_config.json", "preprocessor_config.json", "video_preprocessor_config.json", "processor_config.json"];

    // Of the layouts one per tool and family: these have the members of published models, those of old that Omni's repeats in every section included.
    public static TheoryData<string> Names =>
    [
        .. SavedCheckpoint.All, "vl-tiny", "omni-tiny", FamilyFixtures.Qwen2VL, FamilyFixtures.Qwen3VL,
        "vl3-hub", "vl3-451", "vl3-452", "vl3-457", "vl3-5x", "vl7-yarn", "omni-hub", "omni-452-thinkerclass", "omni-457-thinkeronly", "omni-5x-full",
    ];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void A_changed_value_is_refused_or_read(string name)
    {
        using var folder = new TemporaryDirectory();
        WriteFiles(name, folder);
        var before = Read(folder.Path);
        var config = File.ReadAllText(folder.File("config.json"));
        var (isNested, hears) = (config.Contains("\"text_config\"", StringComparison.Ordinal), config.Contains("\"audio_config\"", StringComparison.Ordinal));
        var ignored = new List<string>();
        foreach (var file in Files.Where(file => File.Exists(folder.File(file))))
        {
            var path = folder.File(file);
            var text = File.ReadAllText(path);
            foreach (var member in Members(JsonNode.Parse(text)!, "").Select(path => path[1..]))
            {
                var changed = JsonNode.Parse(text)!;
                Change(changed, member);
                File.WriteAllText(path, changed.ToJsonString());
                if (Read(folder.Path) == before && !NoMatter.Of(file, WithoutEntry(member), isNested, hears))
                {
                    ignored.Add($"{file}: {member}");
                }
            }

            File.WriteAllText(path, text);
        }

        Assert.True(ignored.Count == 0, "Changed values that nobody noticed:\n" + string.Join('\n', ignored));
    }

    private static void WriteFiles(string name, TemporaryDirectory folder)
    {
        if (LayoutFiles.Names.Contains(name))
        {
            LayoutFiles.Write(name, folder.Path);
        }
        else if (name.EndsWith("-tiny", StringComparison.Ordinal))
        {
            var model = name is FamilyFixtures.Qwen2VL or FamilyFixtures.Qwen3VL ? FamilyFixtures.Model(name) : SavedCheckpoint.Original(name);
            Array.ForEach(Directory.GetFiles(model), file => File.WriteAllBytes(folder.File(Path.GetFileName(file)), File.ReadAllBytes(file)));
        }
        else
        {
            SavedCheckpoint.Write(name, folder.Path);
        }
    }

    /// <summary>Everything that is read of a model, or why it is refused.</summary>
    private static string Read(string folder)
    {
        try
        {
            using var checkpoint = Checkpoint.Open(folder);
            var config = ModelConfigReader.Read(checkpoint);
            object?[] parts = [config.Family.Name, config.Text, config.Vision, config.Audio, Scalars(config), PreprocessorConfigReader.Read(checkpoint, config), GenerationConfigReader.Read(checkpoint)];
            return JsonSerializer.Serialize(parts);
        }
        catch (MASQuantException refusal)
        {
            return refusal.Message;
        }
    }

    private static double[] Scalars(ModelConfig config) =>
    [
        config.ImageTokenId, config.VideoTokenId, config.AudioTokenId, config.VisionStartTokenId, config.VisionEndTokenId, config.AudioStartTokenId, config.AudioEndTokenId, config.PositionsPerSecond, config.SecondsPerChunk,
    ];

    // Paths of members, and of entries of lists by their numbers.
    private static IEnumerable<string> Members(JsonNode? node, string path) => node switch
    {
        JsonObject { Count: > 0 } section => section.SelectMany(member => Members(member.Value, $"{path}.{member.Key}")),
        JsonArray { Count: > 0 } list => list.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"{path}.{i}")),
        _ => [path],
    };

    private static string WithoutEntry(string member) => member.LastIndexOf('.') is > 0 and var end && int.TryParse(member.AsSpan(end + 1), CultureInfo.InvariantCulture, out _) ? member[..end] : member;

    private static void Change(JsonNode root, string member)
    {
        var path = member.Split('.');
        var section = path[..^1].Aggregate(root, (node, name) => node[name]!);
        if (section is JsonArray list)
        {
            var index = int.Parse(path[^1], CultureInfo.InvariantCulture);
            list[index] = Other(list[index]);
        }
        else
        {
            section[path[^1]] = Other(section[path[^1]]);
        }
    }

    // Another value of the same kind; a file that says nothing gets a number.
    private static JsonNode Other(JsonNode? value) => value switch
    {
        JsonValue number when number.GetValueKind() == JsonValueKind.Number => number.GetValue<double>() == Math.Floor(number.GetValue<double>()) ? JsonValue.Create((long)number.GetValue<double>() + 1) : JsonValue.Create(number.GetValue<double>() * 2),
        JsonValue flag when flag.GetValueKind() is JsonValueKind.True or JsonValueKind.False => JsonValue.Create(!flag.GetValue<bool>()),
        JsonValue text when text.GetValueKind() == JsonValueKind.String => JsonValue.Create(text.GetValue<string>() + "-other"),
        _ => JsonValue.Create(7),
    };
}
