using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;

namespace MASQuant.Generators.Tests;

/// <summary>The runtime and the generator refuse the same manifests, whichever member is missing, null or of another kind.</summary>
public class ManifestMemberTests
{
    private static readonly string[] Optional = ["calibration", "calibration.subsetSeed", "parts"];

    // Their members are entries, of which there may be fewer.
    private static readonly string[] Maps = ["options", "tokens", "ranks", "effectiveRanks", "sqnr"];

    public static TheoryData<string> Members => [.. Walk(Root(), "").Select(member => member.Path)];

    public static TheoryData<string> NamedMembers => [.. Walk(Root(), "").Where(member => member.Parent is JsonObject).Select(member => member.Path)];

    [Theory]
    [MemberData(nameof(NamedMembers))]
    public void A_member_that_is_missing_is_refused(string path) => AssertBoth(path, refused: !Optional.Contains(path) && !IsEntry(path), (parent, key) => parent.AsObject().Remove(key));

    [Theory]
    [MemberData(nameof(Members))]
    public void A_member_that_is_null_is_refused(string path) => AssertBoth(path, refused: !Optional.Contains(path), (parent, key) => Set(parent, key, null));

    [Theory]
    [MemberData(nameof(Members))]
    public void A_member_of_another_kind_is_refused(string path) => AssertBoth(path, refused: true, (parent, key) => Set(parent, key, "[[1]]"));

    [Theory]
    [InlineData("layers.0.linears.0.bytes", "9223372036854775807")]
    [InlineData("layers.0.linears.0.bytes", "-1")]
    [InlineData("layers.0.linears.0.sqnr.Text.before", "1e999")]
    [InlineData("layers.0.linears.0.effectiveRanks.Vision.plain", "-1e999")]
    [InlineData("layers.0.linears.0.sqnr", """{"Smell":{"before":1,"after":1}}""")]
    [InlineData("layers.0.linears.0.ranks", """{"Smell":1}""")]
    [InlineData("layers.0.linears.0.ranks", """{"Vision":0}""")]
    [InlineData("layers.0.linears.0.outputs", "0")]
    [InlineData("artifactBytes", "9223372036854775807")]
    [InlineData("model.keyValueHeads", "0")]
    [InlineData("model.hiddenSize", "-256")]
    [InlineData("model.modalities", """["Text","Smell"]""")]
    [InlineData("calibration.tokens", """{"Text":9223372036854775807}""")]
    [InlineData("calibration.samples", "-1")]
    [InlineData("tokenizer.tokens", "-1")]
    public void A_number_that_nothing_can_count_with_is_refused(string path, string value) => AssertBoth(path, refused: true, (parent, key) => Set(parent, key, value));

    [Theory]
    [InlineData("\"source\":", "\"source\":\"x\",\"source\":")]
    [InlineData("\"Rank\":", "\"Rank\":\"8\",\"Rank\":")]
    [InlineData("\"source\":\"", "\"source\":\"\\ud83d")]
    [InlineData("\"outputs\":256", "\"outputs\":0256")]
    [InlineData("\"whitened\":2", "\"whitened\":2.")]
    [InlineData("\"whitened\":2", "\"whitened\":+2")]
    [InlineData("\"subsetSeed\":1", "\"subsetSeed\":1.5")]
    [InlineData("\"subsetSeed\":1", "\"subsetSeed\":-1")]
    public void What_is_no_strict_JSON_is_refused(string right, string wrong)
    {
        var text = Root().ToJsonString();
        Assert.Contains(right, text);
        AssertBoth(text.Replace(right, wrong, StringComparison.Ordinal), refused: true);
    }

    private static void AssertBoth(string path, bool refused, Action<JsonNode, string> change)
    {
        var root = Root();
        var (parent, key) = Walk(root, "").Where(member => member.Path == path).Select(member => (member.Parent, member.Key)).Single();
        change(parent, key);
        AssertBoth(root.ToJsonString(), refused);
    }

    private static void AssertBoth(string text, bool refused)
    {
        var generated = Generation.Run("", new ManifestFile("/x.masquant.json", text)).Diagnostics.SingleOrDefault()?.Id;
        var read = Record.Exception(() => Formats.Artifacts.ManifestFile.Parse(Encoding.UTF8.GetBytes(text), "x"));
        if (!refused)
        {
            Assert.Equal((null, null), (generated, read));
            return;
        }

        Assert.Equal("MASQ0710", generated);
        Assert.Equal(DiagnosticCodes.ManifestInvalid, Assert.IsType<MASQuantException>(read).Code);
    }

    private static bool IsEntry(string path) => path.Split('.') is [.., var map, _] && Maps.Contains(map);

    private static void Set(JsonNode parent, string key, string? value)
    {
        if (parent is JsonArray list)
        {
            list[int.Parse(key, CultureInfo.InvariantCulture)] = value is null ? null : JsonNode.Parse(value);
        }
        else
        {
            parent[key] = value is null ? null : JsonNode.Parse(value);
        }
    }

    // Every member, of a list's elements those of the first.
    private static IEnumerable<(string Path, JsonNode Parent, string Key)> Walk(JsonNode node, string prefix)
    {
        var members = node is JsonArray list ? list.Take(1).Select(item => (Key: "0", Value: item)) : node is JsonObject map ? map.Select(member => (member.Key, member.Value)) : [];
        foreach (var (key, value) in members.ToArray())
        {
            yield return (prefix + key, node, key);
            foreach (var inner in value is null ? [] : Walk(value, $"{prefix}{key}."))
            {
                yield return inner;
            }
        }
    }

    private static JsonNode Root()
    {
        var manifest = SampleManifest.Create(layers: 1);
        var linears = manifest.Layers[0].Linears.Select(linear => linear with { EffectiveRanks = new SortedDictionary<string, ManifestEffectiveRank> { ["Vision"] = new(3, 2) } });
        return JsonNode.Parse(SampleManifest.Json(manifest with
        {
            Options = new SortedDictionary<string, string> { ["Rank"] = "16" },
            Calibration = new ManifestCalibration { File = "c.jsonl", Sha256 = "00", Samples = 3, SubsetSeed = 1, Tokens = new SortedDictionary<string, long> { ["Text"] = 7 } },
            Parts = ["0-0"],
            Layers = [new ManifestLayer { Index = 0, Linears = [.. linears] }],
        }))!;
    }
}
