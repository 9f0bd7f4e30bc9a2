using System.Linq;
using System.Text;

namespace MASQuant.Generators;

/// <summary>Builds indented C# text with LF line ends.</summary>
internal sealed class SourceWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>Appends one line, or an empty one.</summary>
    public SourceWriter Line(string line = "")
    {
        if (line.Length > 0)
        {
            _text.Append(' ', _depth * 4).Append(line);
        }

        _text.Append('\n');
        return this;
    }

    /// <summary>Appends a documentation element around plain text, which is escaped.</summary>
    public SourceWriter Document(string element, string text)
        => Line($"/// <{element}>{Escape(text)}</{element}>");

    public SourceWriter Open(string header)
    {
        Line(header).Line("{");
        _depth++;
        return this;
    }

    /// <summary>Ends a block, without the empty line that ends its last member.</summary>
    public SourceWriter Close()
    {
        if (_text.Length > 1 && _text[_text.Length - 2] == '\n')
        {
            _text.Length--;
        }

        _depth--;
        return Line("}");
    }

    public override string ToString() => _text.ToString();

    // C# also ends lines, and so comments, at U+0085, U+2028 and U+2029.
    private static string Escape(string text)
        => new string([.. text.Select(letter => char.IsControl(letter) || letter is '\u2028' or '\u2029' ? ' ' : letter)])
            .Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
}
