using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Tests;

/// <summary>A small checkpoint of Qwen3.5's layout whose blocks add nothing, so that the last token alone decides the next: what it thinks and answers is known. Prompts, tokens and decoder are the engine's own.</summary>
internal static class ThinkingCheckpoint
{
    /// <summary>What its prompts end with where it thinks, and what follows a thought, or the block of none.</summary>
    public const string Opened = "\n", Closed = "\n\n";

    private const int Hidden = 128;
    private const int Vocabulary = 1280;
    private const int EndOfTurn = 1200;
    private const int FirstNew = 1216;

    /// <summary>Writes one; a piece is a token, of the tokenizer or added to it, and is there once.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="thought">What follows <see cref="Opened"/>. Where it does not end with <see cref="Closed"/> its last piece is said forever.</param>
    /// <param name="answer">What follows <see cref="Closed"/>, before the turn ends.</param>
    public static string Write(string folder, string[] thought, string[] answer)
    {
        SmallCheckpoint.WriteWithStates(folder);
        var config = Path.Combine(folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false", StringComparison.Ordinal));
        var ids = WriteTokenizer(Path.Combine(folder, "tokenizer.json"), ["<think>", "</think>", Closed, Opened, .. thought, .. answer]);
        var weights = Path.Combine(folder, "model.safetensors");
        var all = Path.Combine(folder, "all");
        File.Move(weights, all);
        using (var source = SafetensorsFile.Open(all))
        {
            SafetensorsWriter.Write(weights, [.. source.Tensors.Select(tensor => Payload(source, tensor, ids)), TensorPayload.OfBFloat16("lm_head.weight", Head(ids, thought, answer), Vocabulary, Hidden)]);
        }

        File.Delete(all);
        return folder;
    }

    /// <summary>Copies the fixture of Qwen3.5, with the marks of thoughts, which its tokenizer lacks; skips the test where it is not there.</summary>
    public static string WriteTrained(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(FamilyFixtures.Model(FamilyFixtures.Qwen35)))
        {
            File.WriteAllBytes(Path.Combine(folder, Path.GetFileName(file)), File.ReadAllBytes(file));
        }

        WriteTokenizer(Path.Combine(folder, "tokenizer.json"), "<think>", "</think>");
        return folder;
    }

    /// <summary>Adds tokens that are text to a tokenizer, unless it has them.</summary>
    /// <returns>The id of each.</returns>
    public static Dictionary<string, int> WriteTokenizer(string file, params IEnumerable<string> texts)
    {
        var json = JsonNode.Parse(File.ReadAllText(file))!;
        var added = json["added_tokens"]!.AsArray();
        var call = added.Single(token => (string)token!["content"]! == "<tool_call>")!;
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var next = FirstNew;
        foreach (var text in texts.Distinct())
        {
            if (added.FirstOrDefault(token => (string)token!["content"]! == text) is { } known)
            {
                ids[text] = (int)known["id"]!;
            }
            else if (json["model"]!["vocab"]![text.Replace("\n", "Ċ", StringComparison.Ordinal)] is { } id)
            {
                ids[text] = (int)id;
            }
            else
            {
                var token = call.DeepClone();
                (token["id"], token["content"]) = (ids[text] = next++, text);
                added.Add(token);
            }
        }

        File.WriteAllText(file, json.ToJsonString(new JsonSerializerOptions()));
        return ids;
    }

    // A dimension for each token that matters, and the last for all others.
    private static int Dimension(Dictionary<string, int> ids, int token) => Array.IndexOf([.. ids.Values], token) is >= 0 and var dimension ? dimension : Hidden - 1;

    private static TensorPayload Payload(SafetensorsFile source, TensorInfo tensor, Dictionary<string, int> ids)
    {
        if (tensor.Name.Contains("visual", StringComparison.Ordinal))
        {
            return TensorPayload.From(source, tensor);
        }

        var values = new float[tensor.Count];
        for (var token = 0; token < Vocabulary && tensor.Name.EndsWith("embed_tokens.weight", StringComparison.Ordinal); token++)
        {
            values[(token * Hidden) + Dimension(ids, token)] = 1;
        }

        return TensorPayload.OfBFloat16(tensor.Name, values, [.. tensor.Shape]);
    }

    private static float[] Head(Dictionary<string, int> ids, string[] thought, string[] answer)
    {
        var head = new float[Vocabulary * Hidden];
        Follow([Opened, .. thought], thought[^1] == Closed ? null : ids[thought[^1]]);
        Follow([Closed, .. answer], EndOfTurn);
        return head;

        void Follow(string[] pieces, int? last)
        {
            for (var i = 1; i < pieces.Length; i++)
            {
                Say(pieces[i - 1], ids[pieces[i]]);
            }

            if (last is { } token)
            {
                Say(pieces[^1], token);
            }
        }

        void Say(string behind, int token) => head[(token * Hidden) + Dimension(ids, ids[behind])] = 1;
    }
}
