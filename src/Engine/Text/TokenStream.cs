using System.Text;

namespace MASQuant.Engine.Text;

/// <summary>Turns tokens into text as they come. A character whose bytes are spread over tokens appears when its last byte has come.</summary>
public sealed class TokenStream
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private char[] _characters = new char[64];

    /// <summary>Starts a stream; with <paramref name="skipSpecial"/> special tokens give no text.</summary>
    public TokenStream(Tokenizer tokenizer, bool skipSpecial = true)
    {
        _tokenizer = tokenizer;
        _skipSpecial = skipSpecial;
    }

    /// <summary>Takes the next token and returns the text that is complete with it, often one piece, sometimes none.</summary>
    public string Append(int id) => _skipSpecial && _tokenizer.IsSpecial(id) ? "" : Convert(_tokenizer.Bytes(id), flush: false);

    /// <summary>Ends the text: bytes of an incomplete character become U+FFFD. The stream can be used again.</summary>
    public string Flush() => Convert(default, flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        // The bytes held back from before make at most one character, or one U+FFFD each.
        var needed = Encoding.UTF8.GetMaxCharCount(bytes.Length + 3);
        if (_characters.Length < needed)
        {
            _characters = new char[needed];
        }

        return new string(_characters, 0, _decoder.GetChars(bytes, _characters, flush));
    }
}
