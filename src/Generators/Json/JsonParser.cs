using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MASQuant.Generators.Json;

/// <summary>Reads JSON (RFC 8259), as strictly as the runtime does: names of an object are unique, texts are Unicode. Analyzers must not bring dependencies, so System.Text.Json is out of reach here.</summary>
internal sealed class JsonParser
{
    private const int MaxDepth = 64;
    private static readonly Regex Number = new(@"\A-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z", RegexOptions.CultureInvariant);

    private readonly string _text;
    private int _position;

    private JsonParser(string text) => _text = text;

    /// <exception cref="JsonFormatException">The text is not one JSON value.</exception>
    public static JsonValue Parse(string text)
    {
        var parser = new JsonParser(text);
        var value = parser.ReadValue(0);
        parser.SkipSpace();
        return parser._position == text.Length ? value : throw parser.Wrong("the end");
    }

    private char Next => _position < _text.Length ? _text[_position] : '\0';

    private JsonValue ReadValue(int depth)
    {
        SkipSpace();
        var start = _position;
        if (depth > MaxDepth)
        {
            throw new JsonFormatException(start, $"values nest deeper than {MaxDepth}");
        }

        switch (Next)
        {
            case '{':
                return new JsonValue(JsonKind.Object, start) { Members = ReadMembers(depth) };
            case '[':
                return new JsonValue(JsonKind.List, start) { Items = ReadItems(depth) };
            case '"':
                return new JsonValue(JsonKind.Text, start) { Text = ReadText() };
            case 't':
                return new JsonValue(JsonKind.Boolean, start) { Text = ReadWord("true") };
            case 'f':
                return new JsonValue(JsonKind.Boolean, start) { Text = ReadWord("false") };
            case 'n':
                return new JsonValue(JsonKind.Null, start) { Text = ReadWord("null") };
            default:
                return new JsonValue(JsonKind.Number, start) { Text = ReadNumber() };
        }
    }

    private List<KeyValuePair<string, JsonValue>> ReadMembers(int depth)
    {
        var members = new List<KeyValuePair<string, JsonValue>>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var more = Open('}'); more; more = Continue('}'))
        {
            SkipSpace();
            var start = _position;
            var name = ReadText();
            if (!names.Add(name))
            {
                throw new JsonFormatException(start, $"'{name}' is there twice");
            }

            SkipSpace();
            Take(':');
            members.Add(new KeyValuePair<string, JsonValue>(name, ReadValue(depth + 1)));
        }

        return members;
    }

    private List<JsonValue> ReadItems(int depth)
    {
        var items = new List<JsonValue>();
        for (var more = Open(']'); more; more = Continue(']'))
        {
            items.Add(ReadValue(depth + 1));
        }

        return items;
    }

    /// <summary>Enters a list or object; false when it is empty.</summary>
    private bool Open(char close)
    {
        _position++;
        SkipSpace();
        if (Next != close)
        {
            return true;
        }

        _position++;
        return false;
    }

    /// <summary>Passes a comma, or leaves the list or object.</summary>
    private bool Continue(char close)
    {
        SkipSpace();
        if (Next == close)
        {
            _position++;
            return false;
        }

        Take(',');
        return true;
    }

    private string ReadText()
    {
        Take('"');
        var start = _position;
        StringBuilder? unescaped = null;
        while (Next != '"')
        {
            if (Next < ' ')
            {
                throw Wrong("a closing quote");
            }

            if (Next == '\\')
            {
                unescaped ??= new StringBuilder(_text, start, _position - start, 256);
                unescaped.Append(ReadEscape());
            }
            else
            {
                unescaped?.Append(Next);
                _position++;
            }
        }

        var text = unescaped?.ToString() ?? _text.Substring(start, _position - start);
        if (unescaped is not null && !IsUnicode(text))
        {
            _position = start;
            throw Wrong("a text of whole characters");
        }

        _position++;
        return text;
    }

    // Half a surrogate pair is no character.
    private static bool IsUnicode(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !char.IsSurrogatePair(text, i++))
            {
                return false;
            }
        }

        return true;
    }

    private char ReadEscape()
    {
        _position++;
        var index = "\"\\/bfnrt".IndexOf(Next);
        if (index >= 0)
        {
            _position++;
            return "\"\\/\b\f\n\r\t"[index];
        }

        Take('u');
        if (_position + 4 > _text.Length
            || !ushort.TryParse(_text.Substring(_position, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit))
        {
            throw Wrong("four hexadecimal digits");
        }

        _position += 4;
        return (char)unit;
    }

    private string ReadNumber()
    {
        var start = _position;
        while (Next is (>= '0' and <= '9') or '-' or '+' or '.' or 'e' or 'E')
        {
            _position++;
        }

        var number = _text.Substring(start, _position - start);
        if (!Number.IsMatch(number))
        {
            _position = start;
            throw Wrong("a value");
        }

        return number;
    }

    private string ReadWord(string word)
    {
        if (string.CompareOrdinal(_text, _position, word, 0, word.Length) != 0)
        {
            throw Wrong("a value");
        }

        _position += word.Length;
        return word;
    }

    private void Take(char expected)
    {
        if (Next != expected || _position >= _text.Length)
        {
            throw Wrong($"'{expected}'");
        }

        _position++;
    }

    private void SkipSpace()
    {
        while (Next is ' ' or '\t' or '\r' or '\n')
        {
            _position++;
        }
    }

    private JsonFormatException Wrong(string expected)
        => new(_position, _position < _text.Length ? $"'{_text[_position]}' stands where {expected} is expected" : $"the text ends where {expected} is expected");
}
