using MASQuant.Engine.Text;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Text;

/// <summary>The tokenizers that tests share.</summary>
internal static class Tokenizers
{
    public static Tokenizer OmniTiny { get; } = Load(Path.Combine(RepositoryFiles.OmniTiny, "tokenizer.json"));

    /// <summary>The real Qwen2.5 vocabulary, which the repository does not hold: beside it, or where MASQUANT_QWEN_TOKENIZER says.</summary>
    public static string QwenPath { get; } = Environment.GetEnvironmentVariable("MASQUANT_QWEN_TOKENIZER")
        ?? Path.Combine(RepositoryFiles.Root, "..", "shared", "fixtures", "qwen-tokenizer", "tokenizer.json");

    private static readonly Lazy<Tokenizer> LazyQwen = new(() => Load(QwenPath));

    public static Tokenizer Qwen
    {
        get
        {
            SkipWithoutQwen();
            return LazyQwen.Value;
        }
    }

    public static void SkipWithoutQwen() => Skip.IfNot(File.Exists(QwenPath), $"{QwenPath} is absent; set MASQUANT_QWEN_TOKENIZER to a Qwen2.5 tokenizer.json.");

    private static Tokenizer Load(string path) => Tokenizer.Load(File.ReadAllBytes(path), path);
}
