using System.Text.Json;
using MASQuant.Engine.Text;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Text;

/// <summary>Token ids and decoded text as the reference tokenizers give them.</summary>
public class TokenizerGoldenTests
{
    [Fact]
    public void OmniTiny_matches_the_reference() => Check(Tokenizers.OmniTiny, "tokenizer-omni-tiny.json");

    [SkippableFact]
    public void Qwen_matches_the_reference() => Check(Tokenizers.Qwen, "tokenizer-qwen.json");

    private static void Check(Tokenizer tokenizer, string golden)
    {
        using var cases = JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Golden(golden)));
        Assert.NotEqual(0, cases.RootElement.GetArrayLength());
        foreach (var item in cases.RootElement.EnumerateArray())
        {
            var text = item.GetProperty("text").GetString()!;
            var ids = item.GetProperty("ids").EnumerateArray().Select(e => e.GetInt32()).ToList();
            Assert.True(ids.SequenceEqual(tokenizer.Encode(text)), $"'{text}': expected {string.Join(',', ids)}, got {string.Join(',', tokenizer.Encode(text))}");
            Assert.Equal(item.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
        }
    }
}
