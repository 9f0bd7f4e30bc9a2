using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Engine.Text;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Text;

/// <summary>Nothing in <c>tokenizer.json</c> is ignored in silence either: a changed member makes other tokens, is refused, or is listed here with the reason why it cannot matter.</summary>
public sealed class TokenizerKeyTests
{
    private static readonly (string Reason, string[] Names)[] NoMatter =
    [
        ("says how the file is written", ["version"]),
        ("is set anew by each call of the library that wrote it", ["truncation", "padding"]),
        ("says which characters tokens come from, not which tokens", ["pre_tokenizer.pretokenizers.1.trim_offsets", "post_processor.trim_offsets"]),
        ("is read by the step before a model alone", ["post_processor.add_prefix_space", "post_processor.use_regex", "decoder.add_prefix_space", "decoder.trim_offsets", "decoder.use_regex"]),
        ("counts only with unk_token, which is refused", ["model.fuse_unk"]),
    ];

    [Fact]
    public void A_changed_member_makes_other_tokens_or_is_refused()
    {
        var text = File.ReadAllText(Path.Combine(RepositoryFiles.VlTiny, "tokenizer.json"));
        var root = JsonNode.Parse(text)!;
        var before = Read(text);
        var ignored = new List<string>();
        foreach (var member in Members(root, "").Select(path => path[1..]).Where(member => !NoMatter.Any(group => group.Names.Contains(member))))
        {
            var path = member.Split('.');
            var section = path[..^1].Aggregate(root, (node, name) => node is JsonArray list ? list[Index(name)]! : node[name]!);
            var old = section[path[^1]];
            section[path[^1]] = Other(old);
            if (Read(root.ToJsonString()) == before)
            {
                ignored.Add(member);
            }

            section[path[^1]] = old?.DeepClone();
        }

        Assert.Empty(ignored);
    }

    /// <summary>What becomes of texts in which every added token stands between spaces, between letters, and before a stroke with which its last sign is another one in NFC.</summary>
    private static string Read(string json)
    {
        try
        {
            var tokenizer = Tokenizer.Load(Encoding.UTF8.GetBytes(json), "tokenizer.json");
            var added = JsonNode.Parse(json)!["added_tokens"]!.AsArray().Select(token => token!["content"]!.GetValue<string>());
            string[] texts = ["Read the digits, 12.", "e\u0301", .. added.SelectMany(token => new[] { $"a {token} b", $"a{token}b", $"{token}\u0338" })];
            var ids = texts.Select(tokenizer.Encode);
            return JsonSerializer.Serialize(ids.Select(list => new object[] { list, tokenizer.Decode(list), tokenizer.Decode(list, skipSpecial: true) }));
        }
        catch (MASQuantException refusal)
        {
            return refusal.Message;
        }
    }

    // The entries of vocabulary and merges are no members.
    private static IEnumerable<string> Members(JsonNode? node, string path) => node switch
    {
        _ when path is ".model.vocab" or ".model.merges" => [],
        JsonObject { Count: > 0 } section => section.SelectMany(member => Members(member.Value, $"{path}.{member.Key}")),
        JsonArray { Count: > 0 } list => list.SelectMany((item, i) => Members(item, string.Create(CultureInfo.InvariantCulture, $"{path}.{i}"))),
        _ => [path],
    };

    private static int Index(string name) => int.Parse(name, CultureInfo.InvariantCulture);

    private static JsonNode Other(JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.Number => JsonValue.Create(value.GetValue<int>() + 100),
        JsonValueKind.True or JsonValueKind.False => JsonValue.Create(!value.GetValue<bool>()),
        JsonValueKind.String => JsonValue.Create(value.GetValue<string>() + "x"),
        _ => JsonValue.Create(7),
    };
}
