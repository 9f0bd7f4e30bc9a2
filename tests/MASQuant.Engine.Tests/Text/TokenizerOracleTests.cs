extern alias hub;

using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using MASQuant.Engine.Text;
using MASQuant.Tests;
using Microsoft.ML.Tokenizers;
using Hub = hub::Tokenizers.DotNet;
using Tokenizer = MASQuant.Engine.Text.Tokenizer;

namespace MASQuant.Engine.Tests.Text;

/// <summary>Tokens of random texts beside two libraries': the hub's own, which made the vocabularies, and Microsoft.ML.Tokenizers, whose merges stand behind our normal form and our pieces (docs/decisions/0003).</summary>
public class TokenizerOracleTests
{
    // The hub's library holds Unicode 9's combining classes, ours the newest: marks come from blocks that are older, any other character from all of Unicode.
    private static readonly Gen<string> Mark = Gen.OneOf(Gen.Choose(0x300, 0x34E), Gen.Choose(0x591, 0x5BD), Gen.Choose(0x64B, 0x655), Gen.Elements(0x93C, 0x94D, 0x3099, 0x302A)).Select(char.ConvertFromUtf32);

    private static readonly Gen<string> Jamo = Gen.OneOf(Gen.Choose(0x1100, 0x1112), Gen.Choose(0x1161, 0x1175), Gen.Choose(0x11A7, 0x11C2), Gen.Choose(0xAC00, 0xAC40)).Select(char.ConvertFromUtf32);

    // A space before it tells whether it is a digit: those do not take it.
    private static readonly Gen<string> Character =
        from code in Gen.Choose(0, 0x10FFFF).Where(code => Rune.IsValid(code) && NormalizationData.Class(code) == 0)
        from space in Gen.Elements("", " ")
        select space + char.ConvertFromUtf32(code);

    private static readonly Gen<string> Astral = Gen.OneOf(Gen.Choose(0x1D400, 0x1D7FF), Gen.Choose(0x1F300, 0x1F6FF), Gen.Choose(0x20000, 0x2FA1D), Gen.Choose(0x10FFF0, 0x10FFFF)).Select(char.ConvertFromUtf32);

    private static readonly Gen<string> Lone = Gen.Choose(0xD800, 0xDFFF).Select(code => ((char)code).ToString());

    private static readonly Gen<string> Run =
        from part in Gen.Elements(" ", "\t", "\n", "\r\n", "\u3000", "\u00A0", "7", "٣", "a", "ab", "ha", "!", "=", "é", "模", "😀")
        from count in Gen.Frequency((9, Gen.Choose(1, 9)), (1, Gen.Choose(10, 3 * BytePairEncoder.ShortPiece)))
        select string.Concat(Enumerable.Repeat(part, count));

    private static readonly Gen<string> Word = Gen.Elements(
        "the", " the", "beginning", " начало", "在起初", "don't", "I'LL", "it'ſ", "n'D", "public static", "3.14", "2026", " ²", " Ⅷ", " ٣", " 𝟘", "\uFEFF", "\0", "\u200D", "👨‍👩‍👧",
        "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tool_call>", "<|vision_pad|>", "<|IMAGE|>", "<|im_", "|>", "<||>");

    private static readonly Gen<string> Text = Gen.OneOf(Mark, Jamo, Character, Astral, Lone, Run, Word).ArrayOf().Select(string.Concat);

    [SkippableFact]
    public void The_hubs_library_gives_the_same_tokens_and_text() => CheckHub(Tokenizers.OmniTiny, Path.Combine(RepositoryFiles.OmniTiny, "tokenizer.json"), 2000);

    [SkippableFact]
    public void The_hubs_library_gives_the_same_tokens_and_text_in_the_real_vocabulary() => CheckHub(Tokenizers.Qwen, Tokenizers.QwenPath, 2000);

    [Fact]
    public void Microsofts_merges_give_the_same_tokens() => CheckMerges(Path.Combine(RepositoryFiles.OmniTiny, "tokenizer.json"), "tokenizer-omni-tiny.json", 2000);

    [SkippableFact]
    public void Microsofts_merges_give_the_same_tokens_in_the_real_vocabulary()
    {
        Tokenizers.SkipWithoutQwen();
        CheckMerges(Tokenizers.QwenPath, "tokenizer-qwen.json", 12_080);
    }

    private static void CheckHub(Tokenizer tokenizer, string path, int count)
    {
        var hub = LoadHub(path);
        ForAll(count, text =>
        {
            // It takes UTF-8, which has no lone surrogates.
            var ids = hub.Encode(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));
            Assert.Equal(ids.Select(id => (int)id), tokenizer.Encode(text));
            Assert.Equal(hub.Decode(ids), tokenizer.Decode(tokenizer.Encode(text), skipSpecial: true));
        });
    }

    // The goldens' texts first. What is compared is the merges of a piece; added tokens are none of theirs.
    private static void CheckMerges(string path, string golden, int count)
    {
        var library = LoadMerges(path);
        var file = TokenizerFile.Read(File.ReadAllBytes(path), path);
        var ours = new BytePairEncoder([.. Enumerable.Range(0, 256).Select(value => file.Vocabulary.Find([(byte)value]))], file.Merges);
        var goldens = JsonNode.Parse(File.ReadAllBytes(RepositoryFiles.Golden(golden)))!.AsArray().Select(item => item!["text"]!.GetValue<string>()).ToList();
        Assert.All(goldens, Check);
        ForAll(count - goldens.Count, Check);

        void Check(string text)
        {
            var (expected, actual) = (new List<int>(), new List<int>());
            for (ReadOnlySpan<char> rest = Nfc.Normalize(text); !rest.IsEmpty;)
            {
                var length = QwenSplitter.Letters.FirstPiece(rest);
                expected.AddRange(library.EncodeToIds(rest[..length], considerPreTokenization: false, considerNormalization: false));
                ours.Encode(rest[..length], actual);
                rest = rest[length..];
            }

            Assert.Equal(expected, actual);
        }
    }

    private static void ForAll(int count, Action<string> check)
        => Prop.ForAll(Text.ToArbitrary(), check).Check(Config.QuickThrowOnFailure.WithMaxTest(count).WithReplay(18, 5));

    private static Hub.Tokenizer LoadHub(string path)
    {
        try
        {
            return new Hub.Tokenizer(path);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            Skip.If(true, $"The hub's library has no native part here: {error.Message}");
            throw;
        }
    }

    private static BpeTokenizer LoadMerges(string path)
    {
        var model = JsonNode.Parse(File.ReadAllBytes(path))!["model"]!;
        var vocabulary = model["vocab"]!.AsObject().Select(entry => KeyValuePair.Create(entry.Key, entry.Value!.GetValue<int>()));
        var merges = model["merges"]!.AsArray().Select(merge => merge is JsonArray pair ? $"{pair[0]} {pair[1]}" : merge!.GetValue<string>());
        return BpeTokenizer.Create(new BpeOptions(vocabulary) { Merges = merges, ByteLevel = true });
    }
}
