using System.Collections.Concurrent;
using MASQuant.Engine.Tests.Vision;
using MASQuant.Runtime;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Soak;

/// <summary>Prompts of every kind of medium, and what a model of its own answers to each alone.</summary>
/// <param name="model">Is used for nothing else.</param>
internal sealed class SoakPrompts(MultimodalModel model)
{
    /// <summary>Seeds of sampled answers; a batch counts on from its own.</summary>
    public const int Seeds = 4;

    private static readonly string[] Frames = [.. Enumerable.Range(0, 4).Select(i => RepositoryFiles.Golden($"omni/video-{i}.png"))];
    private static readonly string Sound = RepositoryFiles.Golden("omni/audio.wav");
    private static readonly Func<Prompt>[] Makers =
    [
        () => new Prompt().Text("Quote a verse."),
        () => new Prompt().System("Be brief.").Text("😀 語 are characters of several tokens.").Assistant("So?").Text("Go on."),
        () => new Prompt().Image(RepositoryFiles.Golden("omni/image.png")).Text("What is it?"),
        () => new Prompt().Image(ImageFixture.Read("jpeg-baseline-420.jpg")).Text("What is it?"),
        () => new Prompt().Image(ImageFixture.Read("jpeg-progressive-444.jpg")).Image(ImageFixture.Read("png-3-4-interlaced.png")).Text("Compare."),
        () => new Prompt().Audio(Sound).Text("What is said?"),
        () => new Prompt().Image(RepositoryFiles.Golden("omni/image-audio.png")).Audio(RepositoryFiles.Golden("omni/image-audio.wav")).Text("Does it match?"),
        () => new Prompt().Video(Frames).Text("What happens?"),
        () => new Prompt().Video(Frames, 2, Sound).Text("What happens, and what is said?"),
    ];

    private readonly ConcurrentDictionary<(int Prompt, ulong? Seed), Lazy<string>> _answers = [];

    /// <summary>How many there are.</summary>
    public static int Count => Makers.Length;

    /// <summary>Prompt <paramref name="index"/>, with its files read again.</summary>
    public static Prompt Of(int index) => Makers[index]();

    /// <summary>Greedy without a seed, sampled with one; of a fixed number of tokens.</summary>
    public static GenerationOptions Options(ulong? seed) => new() { MaxTokens = 12, StopTokens = [], Temperature = seed is null ? 0 : 1, TopK = 40, Seed = seed ?? 0 };

    /// <summary>The answer to prompt <paramref name="index"/> alone.</summary>
    public string Answer(int index, ulong? seed)
        => _answers.GetOrAdd((index, seed), key => new Lazy<string>(() => string.Concat(model.Generate(Of(key.Prompt), Options(key.Seed))))).Value;
}
