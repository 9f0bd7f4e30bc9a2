using System.Text.Json;
using MASQuant.Engine.Text;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Text;

/// <summary>Token ids and decoded text as the reference tokenizers give them.</summary>
public class TokenizerGoldenTests
{
    [Fact]
    public void OmniTiny_matches_the_reference() => Check(Tokenizers.OmniTiny, RepositoryFiles.Golden("tokenizer-omni-tiny.json"));

    [SkippableFact]
    public void Qwen_matches_the_reference() => Check(Tokenizers.Qwen, RepositoryFiles.Golden("tokenizer-qwen.json"));

    // With combining marks, which belong to their letters.
    [SkippableFact]
    public void A_further_family_matches_the_reference()
    {
        var path = Path.Combine(FamilyFixtures.Model(FamilyFixtures.Qwen35), "tokenizer.json");
        Check(Tokenizer.Load(File.ReadAllBytes(path), path), FamilyFixtures.GoldenFile(FamilyFixtures.Qwen35, "tokenizer.json"));
    }

    private static void Check(Tokenizer tokenizer, string golden)
    {
        using var cases = JsonDocument.Parse(File.ReadAllBytes(golden));
        Assert.NotEqual(0, cases.RootElement.GetArrayLength());
        foreach (var item in cases.RootElement.EnumerateArray())
        {
            var text = item.GetProperty("text").GetString()!;
            var ids = item.GetProperty("ids").EnumerateArray().Select(e => e.GetInt32()).ToList();
            Assert.True(ids.SequenceEqual(tokenizer.Encode(text)), $"'{text}': expected {string.Join(',', ids)}, got {string.Join(',', tokenizer.Encode(text))}");
            if (item.TryGetProperty("decoded", out var decoded))
            {
                Assert.Equal(decoded.GetString(), tokenizer.Decode(ids));
            }
        }
    }
}
