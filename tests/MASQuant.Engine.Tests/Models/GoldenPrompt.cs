using System.Text.RegularExpressions;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>The prompt of an Omni golden, rebuilt through the public API from its text and media files.</summary>
internal static partial class GoldenPrompt
{
    public static Prompt Of(Golden golden)
    {
        var files = new Queue<string>(golden.Files);
        var user = golden.Prompt.Split("<|im_start|>user\n")[1].Split("<|im_end|>")[0];
        var prompt = new Prompt();
        foreach (var part in Media().Split(user).Where(part => part.Length > 0))
        {
            _ = part switch
            {
                "<|vision_bos|><|IMAGE|><|vision_eos|>" => prompt.Image(files.Dequeue()),
                "<|vision_bos|><|VIDEO|><|vision_eos|>" => prompt.Video(Frames(files), golden.Json.GetProperty("fps").GetDouble(), files.Count > 0 ? files.Dequeue() : null),
                "<|audio_bos|><|AUDIO|><|audio_eos|>" => prompt.Audio(files.Dequeue()),
                _ => prompt.Text(part),
            };
        }

        Assert.Empty(files);
        return prompt;
    }

    private static string[] Frames(Queue<string> files) => [.. Enumerable.Range(0, files.Count(file => file.EndsWith(".png", StringComparison.Ordinal))).Select(_ => files.Dequeue())];

    [GeneratedRegex(@"(<\|vision_bos\|><\|(?:IMAGE|VIDEO)\|><\|vision_eos\|>|<\|audio_bos\|><\|AUDIO\|><\|audio_eos\|>)")]
    private static partial Regex Media();
}
