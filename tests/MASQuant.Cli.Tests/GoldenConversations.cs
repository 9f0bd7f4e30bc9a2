using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>The prompts of the Omni goldens with the reference's greedy answers, as conversations.</summary>
internal static partial class GoldenConversations
{
    /// <summary>Writes them with their media, the golden's name as the task; returns the file. Goldens that hold a part of their embeddings alone are left out.</summary>
    public static string Write(string folder)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, "goldens.jsonl");
        File.WriteAllLines(file, Directory.GetFiles(RepositoryFiles.Golden("omni"), "*.json").Order(StringComparer.Ordinal)
            .Select(path => Golden.Load("omni/" + Path.GetFileNameWithoutExtension(path)))
            .Where(golden => golden.Has("inputs_embeds") && golden.Has("logits"))
            .Select(golden => Conversation(golden, folder).ToJsonString()));
        return file;
    }

    private static JsonObject Conversation(Golden golden, string folder)
    {
        var turns = golden.Prompt.Split("<|im_start|>");
        var files = new Queue<string>(golden.Files);
        var parts = Media().Split(Text(turns[2], "user\n")).Where(part => part.Length > 0).Select(part => part switch
        {
            "<|vision_bos|><|IMAGE|><|vision_eos|>" => Part("image", Copy(files.Dequeue(), folder)),
            "<|audio_bos|><|AUDIO|><|audio_eos|>" => Part("audio", Copy(files.Dequeue(), folder)),
            _ => Part("text", part),
        });
        JsonNode[] messages = [Message("system", Text(turns[1], "system\n")), Message("user", new JsonArray([.. parts])), Message("assistant", Text(golden.GreedyText, ""))];
        return new JsonObject { ["task"] = golden.Json.GetProperty("name").GetString(), ["messages"] = new JsonArray(messages) };
    }

    private static JsonObject Message(string role, JsonNode content) => new() { ["role"] = role, ["content"] = content };

    private static JsonObject Part(string type, string content) => new() { ["type"] = type, [type] = content };

    private static string Text(string turn, string role) => turn[role.Length..].Split("<|im_end|>")[0];

    private static string Copy(string path, string folder)
    {
        var name = Path.GetFileName(path);
        File.Copy(path, Path.Combine(folder, name), overwrite: true);
        return name;
    }

    [GeneratedRegex(@"(<\|vision_bos\|><\|IMAGE\|><\|vision_eos\|>|<\|audio_bos\|><\|AUDIO\|><\|audio_eos\|>)")]
    private static partial Regex Media();
}
