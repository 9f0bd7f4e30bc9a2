using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Formats.Checkpoints;

namespace MASQuant.Engine.Text;

/// <summary>Refuses a <c>tokenizer.json</c> whose steps differ from Qwen's: NFC, the Qwen split, byte-level BPE.</summary>
internal static class TokenizerPipeline
{
    /// <summary>Checks the steps around the model; an absent one is a default <see cref="JsonElement"/>.</summary>
    /// <returns>What cuts text.</returns>
    public static QwenSplitter Read(JsonElement normalizer, JsonElement preTokenizer, JsonElement postProcessor, JsonElement decoder, string path)
    {
        if (Type(normalizer) != "NFC")
        {
            throw Unsupported("normalizer", "NFC", normalizer, path);
        }

        if (Type(decoder) != "ByteLevel")
        {
            throw Unsupported("decoder", "ByteLevel", decoder, path);
        }

        if (Type(postProcessor) is not ("" or "ByteLevel"))
        {
            throw Unsupported("post_processor", "null or ByteLevel", postProcessor, path);
        }

        if (Type(preTokenizer) != "Sequence" || !preTokenizer.TryGetProperty("pretokenizers", out var steps) || steps.GetArrayLength() != 2)
        {
            throw Unsupported("pre_tokenizer", "Split then ByteLevel", preTokenizer, path);
        }

        if (QwenSplit(steps[0]) is not { } splitter)
        {
            throw Unsupported("pre_tokenizer", $"an isolated Split at {string.Join(" or at ", QwenSplitter.All.Select(known => known.Pattern))}", steps[0], path);
        }

        if (Type(steps[1]) != "ByteLevel" || IsOn(steps[1], "add_prefix_space") || IsOn(steps[1], "use_regex"))
        {
            throw Unsupported("pre_tokenizer", "ByteLevel without prefix space and regex", steps[1], path);
        }

        return splitter;
    }

    /// <summary>Checks one property of the model other than its vocabulary and merges.</summary>
    public static void CheckModel(string name, JsonElement value, string path)
    {
        var expected = name switch
        {
            "type" => value.ValueEquals("BPE") ? "" : "BPE",
            "dropout" or "unk_token" => value.ValueKind == JsonValueKind.Null ? "" : "null",
            "continuing_subword_prefix" or "end_of_word_suffix" => value.ValueKind == JsonValueKind.Null || value.ValueEquals("") ? "" : "null",
            "byte_fallback" or "ignore_merges" => value.ValueKind == JsonValueKind.False ? "" : "false",
            _ => "",
        };
        if (expected.Length > 0)
        {
            throw Unsupported($"model.{name}", expected, value, path);
        }
    }

    private static QwenSplitter? QwenSplit(JsonElement step) => Type(step) == "Split"
        && step.TryGetProperty("pattern", out var pattern) && pattern.TryGetProperty("Regex", out var regex)
        && step.TryGetProperty("behavior", out var behavior) && behavior.ValueEquals("Isolated")
        && !IsOn(step, "invert") ? QwenSplitter.All.FirstOrDefault(known => regex.ValueEquals(known.Pattern)) : null;

    private static string Type(JsonElement step)
        => step.ValueKind == JsonValueKind.Object && step.TryGetProperty("type", out var type) ? type.GetString() ?? "" : "";

    private static bool IsOn(JsonElement step, string name) => step.TryGetProperty(name, out var value) && value.GetBoolean();

    private static MASQuantException Unsupported(string where, string expected, JsonElement actual, string path)
    {
        var text = actual.ValueKind == JsonValueKind.Undefined ? "nothing" : actual.GetRawText();
        return new MASQuantException(DiagnosticCodes.TokenizerUnsupported, path,
            $"The tokenizer's '{where}' must be {expected}, but it is {(text.Length > 200 ? text[..200] + "…" : text)}. "
            + $"Use the tokenizer.json of a {ModelFamilies.Known.Names("or")} checkpoint.");
    }
}
