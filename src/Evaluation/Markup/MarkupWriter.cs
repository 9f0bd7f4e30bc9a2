using System.Globalization;
using System.Text;

namespace MASQuant.Evaluation.Markup;

/// <summary>Writes HTML that is well-formed XML too: whatever is text is escaped, and every element that is opened is closed.</summary>
public sealed class MarkupWriter
{
    private readonly StringBuilder _text = new();

    /// <summary>Opens an element; disposing what is returned closes it.</summary>
    /// <param name="name">The element.</param>
    /// <param name="attributes">Names and values; those whose value is null are left out.</param>
    public Scope Element(string name, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        Open(name, attributes);
        _text.Append('>');
        return new Scope(this, name);
    }

    /// <summary>An element that holds a text alone.</summary>
    public void Element(string name, string text, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        using (Element(name, attributes))
        {
            Text(text);
        }
    }

    /// <summary>An element without content, <c>&lt;path … /&gt;</c>.</summary>
    public void Empty(string name, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        Open(name, attributes);
        _text.Append(" />");
    }

    /// <summary>Text of any origin.</summary>
    public void Text(string text) => Escape(text);

    /// <summary>Our own markup, style sheets among it; never anything of the user's.</summary>
    public void Raw(string markup) => _text.Append(markup);

    /// <summary>A line break in the file, for people who read it.</summary>
    public void Line() => _text.Append('\n');

    /// <summary>A coordinate: two decimals at most, the same in every culture.</summary>
    public static string Number(double value) => Math.Round(value, 2, MidpointRounding.AwayFromZero).ToString("0.##", CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private void Open(string name, ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        _text.Append('<').Append(name);
        foreach (var (attribute, value) in attributes)
        {
            if (value is not null)
            {
                _text.Append(' ').Append(attribute).Append("=\"");
                Escape(value);
                _text.Append('"');
            }
        }
    }

    private void Escape(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                _text.Append(c).Append(text[++i]);
                continue;
            }

            _ = c switch
            {
                '<' => _text.Append("&lt;"),
                '>' => _text.Append("&gt;"),
                '&' => _text.Append("&amp;"),
                '"' => _text.Append("&quot;"),
                '\'' => _text.Append("&#39;"),
                '\n' or '\t' => _text.Append(c),
                _ when char.IsControl(c) || char.IsSurrogate(c) || c >= '\uFFFE' => _text.Append('\uFFFD'), // What XML cannot hold.
                _ => _text.Append(c),
            };
        }
    }

    /// <summary>An open element.</summary>
    public readonly struct Scope(MarkupWriter writer, string name) : IDisposable
    {
        /// <summary>Closes it.</summary>
        public void Dispose() => writer._text.Append("</").Append(name).Append('>');
    }
}
