using System.Text.Json;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Models;
using MASQuant.Engine.Tests.VectorWidth;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Arm64;

/// <summary>What a model answers, to the bit, a line per prompt: two processors' are compared.</summary>
internal static class AnswerRun
{
    private const int Tokens = 12;

    /// <summary>Prints, of a checkpoint or an artifact of omni-tiny, a prompt's logits as a hash, its greedy answer and one that is drawn.</summary>
    public static void Run(string path)
    {
        using var model = LoadedModel.Load(path);
        foreach (var name in (string[])["omni/text", "omni/image-audio"])
        {
            var prompt = GoldenPrompt.Of(Golden.Load(name));
            var prepared = model.Prepare(prompt);
            var greedy = string.Concat(model.Generate(prompt, new GenerationOptions { MaxTokens = Tokens }));
            int[] drawn = [.. model.GenerateTokens(prepared, new GenerationOptions { MaxTokens = Tokens, Temperature = 2, Seed = 5 })];
            Console.WriteLine($"{name} {ResultHashes.Of(model.Logits(prepared).Span.ToArray())} {JsonSerializer.Serialize(greedy)} {string.Join(' ', drawn)}");
        }
    }
}
