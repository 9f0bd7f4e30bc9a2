using System.Text;
using MASQuant.Engine.Text;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Tests.Text;

public class TokenizerPropertyTests
{
    private static readonly int[] Starts = [0x20, 0x61, 0xE0, 0x300, 0x410, 0x5D0, 0x900, 0x1100, 0x3042, 0x4E00, 0xAC00, 0xD800, 0xDC00, 0xFF00, 0x1D4B3, 0x1F600, 0x20000];

    [Fact]
    public void Any_text_decodes_to_its_normal_form()
    {
        var random = new Random(3);
        for (var trial = 0; trial < 2000; trial++)
        {
            var text = Text(random);
            Assert.Equal(Nfc.Normalize(text), Tokenizers.OmniTiny.Decode(Tokenizers.OmniTiny.Encode(text)));
        }
    }

    [SkippableFact]
    public void Any_text_decodes_to_its_normal_form_in_the_real_vocabulary()
    {
        var tokenizer = Tokenizers.Qwen;
        var random = new Random(4);
        for (var trial = 0; trial < 2000; trial++)
        {
            var text = Text(random);
            Assert.Equal(Nfc.Normalize(text), tokenizer.Decode(tokenizer.Encode(text)));
        }
    }

    [Fact]
    public void Streaming_gives_the_text_of_all_bytes()
    {
        var tokenizer = Tokenizers.OmniTiny;
        var random = new Random(5);
        for (var trial = 0; trial < 2000; trial++)
        {
            // Any ids, most of them bytes that are no UTF-8; 1216 and above have no token.
            int[] ids = [.. Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(4) == 0 ? random.Next(1280) : 94 + random.Next(160))];
            var stream = new TokenStream(tokenizer, skipSpecial: false);
            var streamed = string.Concat(ids.Select(stream.Append)) + stream.Flush();
            Assert.Equal(Encoding.UTF8.GetString([.. ids.SelectMany(id => tokenizer.Bytes(id).ToArray())]), streamed);
            Assert.Equal(streamed, tokenizer.Decode(ids));
        }
    }

    [Fact]
    public void A_character_appears_with_its_last_byte()
    {
        var stream = new TokenStream(Tokenizers.OmniTiny);
        var ids = Tokenizers.OmniTiny.Encode("🙂");
        Assert.Equal(4, ids.Count);
        Assert.Equal(["", "", "", "🙂"], ids.Select(stream.Append));
        Assert.Equal("", stream.Flush());

        Assert.Equal(["", ""], ids.Take(2).Select(stream.Append));
        Assert.Equal("\uFFFD", stream.Flush());
        Assert.Equal("a", stream.Append(Tokenizers.OmniTiny.Encode("a").Single()));
    }

    [Fact]
    public void Neighbouring_texts_are_encoded_as_one()
    {
        var tokenizer = Tokenizers.OmniTiny;
        var ids = tokenizer.EncodeSegments(
            [TextSegment.Plain("In the be"), TextSegment.Plain("ginning e"), TextSegment.Plain("\u0301"), TextSegment.Token(1203), TextSegment.Plain("ginning")]);
        Assert.Equal([.. tokenizer.Encode("In the beginning \u00E9"), 1203, .. tokenizer.Encode("ginning")], ids);
    }

    private static string Text(Random random)
    {
        var text = new StringBuilder();
        for (var i = random.Next(30); i > 0; i--)
        {
            var codePoint = Starts[random.Next(Starts.Length)] + random.Next(64);
            text.Append(codePoint > 0xFFFF ? char.ConvertFromUtf32(codePoint) : ((char)codePoint).ToString());
        }

        return text.ToString();
    }
}
