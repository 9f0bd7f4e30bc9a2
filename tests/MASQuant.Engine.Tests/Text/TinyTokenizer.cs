using System.Text;
using System.Text.Json.Nodes;
using MASQuant.Engine.Text;

namespace MASQuant.Engine.Tests.Text;

/// <summary>A tokenizer.json to vary: 256 bytes, "ab" (256), "abc" (257), " ab" (258).</summary>
internal static class TinyTokenizer
{
    public static JsonObject Json()
    {
        var vocab = new JsonObject();
        for (var (value, shifted) = (0, 256); value < 256; value++)
        {
            var printable = value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
            vocab[((char)(printable ? value : shifted++)).ToString()] = value;
        }

        vocab["ab"] = 256;
        vocab["abc"] = 257;
        vocab["Ġab"] = 258;
        return new JsonObject
        {
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = new JsonObject { ["type"] = "NFC" },
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = QwenSplitter.Letters.Pattern }, ["behavior"] = "Isolated", ["invert"] = false },
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
            },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = vocab, ["merges"] = new JsonArray("a b", "ab c", "Ġ ab") },
        };
    }

    /// <summary>One more added token: id 300 and up, with flags as the file names them.</summary>
    public static JsonObject With(this JsonObject json, string content, params string[] flags)
    {
        var tokens = json["added_tokens"]!.AsArray();
        var token = new JsonObject { ["id"] = 300 + tokens.Count, ["content"] = content };
        foreach (var flag in flags)
        {
            token[flag] = true;
        }

        tokens.Add(token);
        return json;
    }

    public static Tokenizer Load(this JsonObject json) => Tokenizer.Load(Encoding.UTF8.GetBytes(json.ToJsonString()), "tokenizer.json");
}
