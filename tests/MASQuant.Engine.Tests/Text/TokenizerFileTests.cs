using System.Text;
using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Engine.Text;

namespace MASQuant.Engine.Tests.Text;

public class TokenizerFileTests
{
    [Fact]
    public void Merges_may_be_pairs_and_may_precede_the_vocabulary()
    {
        var json = TinyTokenizer.Json();
        var model = json["model"]!.AsObject();
        var vocab = model["vocab"]!;
        model.Remove("vocab");
        model["merges"] = new JsonArray(new JsonArray("a", "b"), new JsonArray("ab", "c"), new JsonArray("Ġ", "ab"));
        model["vocab"] = vocab;
        Assert.Equal(TinyTokenizer.Json().Load().Encode("abc ab b"), json.Load().Encode("abc ab b"));
        Assert.Equal([257, 258, ' ', 'b'], json.Load().Encode("abc ab b"));
    }

    [Fact]
    public void Escapes_byte_order_mark_and_unknown_properties_are_read()
    {
        var text = TinyTokenizer.Json().ToJsonString().Replace("\"ab\"", "\"\\u0061b\"", StringComparison.Ordinal)
            .Replace("{\"added_tokens\"", "{\"version\":{\"x\":[1]},\"added_tokens\"", StringComparison.Ordinal);
        var tokenizer = Tokenizer.Load(Encoding.UTF8.GetBytes("\uFEFF" + text), "tokenizer.json");
        Assert.Equal([257], tokenizer.Encode("abc"));
        Assert.Equal(259, tokenizer.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"model\": 3}")]
    [InlineData("{\"model\": {\"type\": 3}}")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": \"b\"}, \"merges\": []}}")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}}}")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [3]}}")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [[\"a\"]]}}")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0")]
    public void Anything_but_a_tokenizer_is_malformed(string json)
    {
        var error = Assert.Throws<MASQuantException>(() => Tokenizer.Load(Encoding.UTF8.GetBytes(json), "x/tokenizer.json"));
        Assert.Equal((DiagnosticCodes.TokenizerMalformed, "x/tokenizer.json"), (error.Code, error.File));
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        var bytes = Encoding.UTF8.GetBytes(TinyTokenizer.Json().With("<s>").ToJsonString());
        for (var length = 0; length < bytes.Length; length += 7)
        {
            Assert.Throws<MASQuantException>(() => Tokenizer.Load(bytes.AsMemory(0, length), "tokenizer.json"));
        }
    }

    [Theory]
    [InlineData("normalizer", "{\"type\":\"NFKC\"}")]
    [InlineData("normalizer", "null")]
    [InlineData("decoder", "{\"type\":\"WordPiece\"}")]
    [InlineData("post_processor", "{\"type\":\"TemplateProcessing\"}")]
    [InlineData("pre_tokenizer", "{\"type\":\"ByteLevel\"}")]
    [InlineData("pre_tokenizer.pretokenizers.0.pattern.Regex", "\"\\\\p{L}+\"")]
    [InlineData("pre_tokenizer.pretokenizers.0.behavior", "\"Removed\"")]
    [InlineData("pre_tokenizer.pretokenizers.0.invert", "true")]
    [InlineData("pre_tokenizer.pretokenizers.1.add_prefix_space", "true")]
    [InlineData("pre_tokenizer.pretokenizers.1.use_regex", "true")]
    [InlineData("model.type", "\"WordPiece\"")]
    [InlineData("model.dropout", "0.1")]
    [InlineData("model.unk_token", "\"<unk>\"")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"")]
    [InlineData("model.byte_fallback", "true")]
    [InlineData("model.ignore_merges", "true")]
    public void Another_tokenizer_is_unsupported(string where, string value)
    {
        var json = TinyTokenizer.Json();
        var names = where.Split('.');
        JsonNode parent = json;
        foreach (var name in names[..^1])
        {
            parent = (parent is JsonArray array ? array[int.Parse(name)] : parent[name])!;
        }

        parent[names[^1]] = JsonNode.Parse(value);
        var error = Assert.Throws<MASQuantException>(() => json.Load());
        Assert.Equal(DiagnosticCodes.TokenizerUnsupported, error.Code);
        Assert.Contains(names[0], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ab", -1)]
    [InlineData("ab", 1 << 20)]
    [InlineData("ab", 97)] // "a" has it.
    [InlineData("abd", 257)] // "abc" has it.
    [InlineData("a b", 400)] // A space is written Ġ.
    [InlineData("ł", 400)] // U+0142 is a byte's character, but that byte (0xA0) has its token.
    [InlineData("ń", 400)] // U+0144 is beyond the alphabet.
    [InlineData("日", 400)]
    [InlineData("", 400)]
    public void AContradictoryVocabularyIsRefused(string token, int id)
    {
        var json = TinyTokenizer.Json();
        var text = json.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        text = text.Replace("\"ab\":256", $"\"ab\":256,\"{token}\":{id}", StringComparison.Ordinal);
        var error = Assert.Throws<MASQuantException>(() => Tokenizer.Load(Encoding.UTF8.GetBytes(text), "tokenizer.json"));
        Assert.Equal(DiagnosticCodes.TokenizerInconsistent, error.Code);
    }

    [Theory]
    [InlineData("x y")]
    [InlineData("xy")]
    [InlineData("a bcd")]
    public void A_merge_of_unknown_tokens_is_refused(string merge)
    {
        var json = TinyTokenizer.Json();
        json["model"]!["merges"]!.AsArray().Add(merge);
        Assert.Equal(DiagnosticCodes.TokenizerInconsistent, Assert.Throws<MASQuantException>(() => json.Load()).Code);
    }

    [Fact]
    public void Every_byte_needs_a_token()
    {
        var json = TinyTokenizer.Json();
        json["model"]!["vocab"]!.AsObject().Remove("z");
        var error = Assert.Throws<MASQuantException>(() => json.Load());
        Assert.Equal(DiagnosticCodes.TokenizerInconsistent, error.Code);
        Assert.Contains("0x7A", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_added_token_may_not_take_anothers_id()
    {
        var json = TinyTokenizer.Json().With("<s>");
        json["added_tokens"]![0]!["id"] = 257;
        Assert.Equal(DiagnosticCodes.TokenizerInconsistent, Assert.Throws<MASQuantException>(() => json.Load()).Code);
        json["added_tokens"]![0]!["content"] = "abc"; // The same token twice is no contradiction.
        Assert.Equal([257, 257, 'd'], json.Load().Encode("abcabcd"));
    }

    [Fact]
    public void An_added_token_is_no_text_of_any_length()
    {
        Assert.Equal([300], TinyTokenizer.Json().With(new string('x', AddedToken.MaxLength)).Load().Encode(new string('x', AddedToken.MaxLength)));
        Assert.Equal(DiagnosticCodes.TokenizerInconsistent, Assert.Throws<MASQuantException>(() => TinyTokenizer.Json().With(new string('x', AddedToken.MaxLength + 1)).Load()).Code);
    }

    [Theory]
    [InlineData("{\"id\": 300}")]
    [InlineData("{\"content\": \"<a>\"}")]
    public void An_added_token_has_an_id_and_a_content(string token)
    {
        var json = TinyTokenizer.Json();
        json["added_tokens"] = new JsonArray(JsonNode.Parse(token));
        Assert.Equal(DiagnosticCodes.TokenizerInconsistent, Assert.Throws<MASQuantException>(() => json.Load()).Code);
    }
}
