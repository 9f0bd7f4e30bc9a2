using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layouts;

/// <summary>Nothing in a configuration file is ignored in silence: of every member that tools write, a changed value is refused or read as another, or it is listed here with the reason why it cannot matter.</summary>
public sealed class EveryKeyTests
{
    private const string Flat = "vl-tiny";

    public static TheoryData<string> Names => [.. SavedCheckpoint.All, Flat, "omni-tiny", FamilyFixtures.Qwen2VL, FamilyFixtures.Qwen3VL];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void A_changed_value_is_refused_or_read(string name)
    {
        using var folder = new TemporaryDirectory();
        if (name is FamilyFixtures.Qwen2VL or FamilyFixtures.Qwen3VL)
        {
            Array.ForEach(Directory.GetFiles(FamilyFixtures.Model(name)), file => File.WriteAllBytes(folder.File(Path.GetFileName(file)), File.ReadAllBytes(file)));
        }
        else if (name.EndsWith("-tiny", StringComparison.Ordinal))
        {
            Array.ForEach(Directory.GetFiles(SavedCheckpoint.Original(name)), file => File.Copy(file, folder.File(Path.GetFileName(file))));
        }
        else
        {
            SavedCheckpoint.Write(name, folder.Path);
        }

        var before = Read(folder.Path);
        var ignored = new List<string>();
        foreach (var file in (string[])["config.json", "generation_config.json", "preprocessor_config.json", "video_preprocessor_config.json", "processor_config.json"])
        {
            var path = folder.File(file);
            if (!File.Exists(path))
            {
                continue;
            }

            var text = File.ReadAllText(path);
            foreach (var member in Members(JsonNode.Parse(text)!, ""))
            {
                var changed = JsonNode.Parse(text)!;
                Change(changed, member);
                File.WriteAllText(path, changed.ToJsonString());
                if (Read(folder.Path) == before && !NoMatter.Of(file, member, isNested: name is not (Flat or FamilyFixtures.Qwen2VL)))
                {
                    ignored.Add($"{file}: {member}");
                }
            }

            File.WriteAllText(path, text);
        }

        Assert.True(ignored.Count == 0, "Changed values that nobody noticed:\n" + string.Join('\n', ignored));
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

    private static IEnumerable<string> Members(JsonNode node, string prefix) => node is JsonObject members
        ? members.SelectMany(member => member.Value is JsonObject { Count: > 0 } inner ? Members(inner, $"{prefix}{member.Key}.") : [prefix + member.Key])
        : [];

    private static void Change(JsonNode root, string member)
    {
        var path = member.Split('.');
        var section = path[..^1].Aggregate(root, (node, name) => node[name]!);
        section[path[^1]] = Other(section[path[^1]]);
    }

    // Another value of the same kind; a file that says nothing gets a number.
    private static JsonNode Other(JsonNode? value) => value switch
    {
        JsonArray { Count: > 0 } list => new JsonArray([.. list.Skip(1).Select(item => item!.DeepClone()), Other(list[0])]),
        JsonValue number when number.GetValueKind() == JsonValueKind.Number => number.GetValue<double>() == Math.Floor(number.GetValue<double>()) ? JsonValue.Create((long)number.GetValue<double>() + 1) : JsonValue.Create(number.GetValue<double>() * 2),
        JsonValue flag when flag.GetValueKind() is JsonValueKind.True or JsonValueKind.False => JsonValue.Create(!flag.GetValue<bool>()),
        JsonValue text when text.GetValueKind() == JsonValueKind.String => JsonValue.Create(text.GetValue<string>() + "-other"),
        _ => JsonValue.Create(7),
    };
}
