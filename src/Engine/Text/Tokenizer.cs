using System.Text;
using MASQuant.Diagnostics;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Text;

/// <summary>
/// The byte-level BPE tokenizer of the supported checkpoints: NFC, added tokens, the Qwen split, merges. Any text encodes; an unpaired surrogate
/// counts as U+FFFD. Immutable and safe for concurrent use.
/// </summary>
public sealed class Tokenizer
{
    private readonly Vocabulary _vocabulary;
    private readonly QwenSplitter _splitter;
    private readonly BytePairEncoder _encoder;
    private readonly Dictionary<string, int> _addedIds = new(StringComparer.Ordinal);
    private readonly HashSet<int> _special = [];
    private readonly HashSet<int> _added = [];
    private readonly AddedTokenMatcher _raw;
    private readonly AddedTokenMatcher _rawPlain;
    private readonly AddedTokenMatcher _normalized;
    private readonly AddedTokenMatcher _normalizedPlain;
    private readonly bool _strips;

    private Tokenizer(TokenizerFile file, int[] byteIds, ControlTokens controls)
    {
        AddedToken[] added = [.. file.AddedTokens.Select(token => token with { Special = token.Special || controls.Contain(token.Id, token.Content), Mark = controls.Marks.Contains(token.Content) })];
        (_vocabulary, _splitter) = (file.Vocabulary, file.Splitter);
        _encoder = new BytePairEncoder(byteIds, file.Merges);
        foreach (var token in added)
        {
            _addedIds[token.Content] = token.Id;
            _added.Add(token.Id);
            if (token.Special)
            {
                _special.Add(token.Id);
            }
        }

        AddedTokenMatcher Matcher(bool normalized, bool special) => new(added
            .Where(t => t.Normalized == normalized && (special || !(t.Special || t.Mark)))
            .Select(t => (normalized ? Nfc.Normalize(t.Content) : t.Content, t)));

        _strips = added.Any(token => token.StripLeft || token.StripRight);
        (_raw, _rawPlain) = (Matcher(false, true), Matcher(false, false));
        (_normalized, _normalizedPlain) = (Matcher(true, true), Matcher(true, false));
    }

    /// <summary>The number of tokens, added ones included.</summary>
    public int Count => _vocabulary.Count;

    /// <summary>Loads a tokenizer from the bytes of <c>tokenizer.json</c>.</summary>
    /// <param name="json">The file's bytes; not kept.</param>
    /// <param name="pathForMessages">The file that errors name.</param>
    /// <param name="controls">Added tokens that are special whether the file says so or not; null: none but those that it says.</param>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.TokenizerMalformed"/>, <see cref="DiagnosticCodes.TokenizerUnsupported"/>
    /// or <see cref="DiagnosticCodes.TokenizerInconsistent"/>.</exception>
    public static Tokenizer Load(ReadOnlyMemory<byte> json, string pathForMessages, ControlTokens? controls = null)
    {
        var file = TokenizerFile.Read(json.Span, pathForMessages);
        var byteIds = new int[256];
        for (var value = 0; value < byteIds.Length; value++)
        {
            byteIds[value] = file.Vocabulary.Find([(byte)value]);
            if (byteIds[value] < 0)
            {
                throw new MASQuantException(DiagnosticCodes.TokenizerInconsistent, pathForMessages,
                    $"The vocabulary has no token for the byte 0x{value:X2}, so not every text can be encoded. Download the file again.");
            }
        }

        return new Tokenizer(file, byteIds, controls ?? ControlTokens.None);
    }

    /// <summary>The id of an added token such as <c>&lt;|im_start|&gt;</c>.</summary>
    public bool TryGetAddedToken(string content, out int id) => _addedIds.TryGetValue(content, out id);

    /// <summary>One more than the largest id.</summary>
    internal int IdBound => _vocabulary.IdBound;

    /// <summary>Whether the file adds a token to the model's vocabulary.</summary>
    internal bool IsAdded(int id) => _added.Contains(id);

    /// <summary>Whether a token is control, not text.</summary>
    public bool IsSpecial(int id) => _special.Contains(id);

    /// <summary>A number of tokens that no encoding of a text falls below, from its length alone.</summary>
    internal long FewestTokens(string text)
    {
        // A token that takes in white space stands for any number of characters.
        if (_strips)
        {
            return 0;
        }

        // What NFC leaves alone is at least a byte a character. Of the rest it makes one code point of up to four, each of up to two characters.
        var charactersPerByte = text.AsSpan().ContainsAnyInRange(Nfc.FirstAffected, char.MaxValue) ? 8 : 1;
        return text.Length / ((long)charactersPerByte * _vocabulary.LongestToken);
    }

    /// <summary>Encodes a text in which special tokens may be spelled out. Not for text from users: <see cref="EncodeSegments"/>.</summary>
    public List<int> Encode(string text)
    {
        var ids = new List<int>((text.Length / 3) + 4);
        Encode(text, _raw, _normalized, ids);
        return ids;
    }

    /// <summary>Encodes plain text and given tokens in turn. Text that spells a special token stays text; neighbouring texts are encoded as one.</summary>
    public List<int> EncodeSegments(IEnumerable<TextSegment> segments)
    {
        var ids = new List<int>();
        var pending = new StringBuilder();
        foreach (var segment in segments)
        {
            if (segment.Text is { } text)
            {
                pending.Append(text);
            }
            else
            {
                EncodePlain(pending, ids);
                ids.Add(segment.Id);
            }
        }

        EncodePlain(pending, ids);
        return ids;
    }

    /// <summary>The text of <paramref name="ids"/>. Bytes that are not UTF-8 become U+FFFD; ids without a token are passed over.</summary>
    public string Decode(IEnumerable<int> ids, bool skipSpecial = false)
    {
        var stream = new TokenStream(this, skipSpecial);
        var text = new StringBuilder();
        foreach (var id in ids)
        {
            text.Append(stream.Append(id));
        }

        return text.Append(stream.Flush()).ToString();
    }

    /// <summary>The bytes that a token stands for; empty when no token has the id.</summary>
    internal ReadOnlySpan<byte> Bytes(int id) => _vocabulary.Bytes(id);

    private void EncodePlain(StringBuilder text, List<int> ids)
    {
        Encode(text.ToString(), _rawPlain, _normalizedPlain, ids);
        text.Clear();
    }

    private void Encode(string text, AddedTokenMatcher raw, AddedTokenMatcher normalized, List<int> ids)
        => Split(text, raw, ids, part => Split(Nfc.Normalize(part), normalized, ids, piece => EncodePieces(piece, ids)));

    // Tokens that the matcher finds go to ids, what lies between them to encode.
    private static void Split(string text, AddedTokenMatcher matcher, List<int> ids, Action<string> encode)
    {
        var start = 0;
        while (matcher.Next(text, start, out var match) is { } token)
        {
            if (match.Start.Value > start)
            {
                encode(text[start..match.Start.Value]);
            }

            ids.Add(token.Id);
            start = match.End.Value;
        }

        if (start < text.Length)
        {
            encode(start == 0 ? text : text[start..]);
        }
    }

    private void EncodePieces(ReadOnlySpan<char> text, List<int> ids)
    {
        while (!text.IsEmpty)
        {
            var length = _splitter.FirstPiece(text);
            _encoder.Encode(text[..length], ids);
            text = text[length..];
        }
    }
}
