using MASQuant.Evaluation.Markup;

namespace MASQuant.Evaluation.Reports;

/// <summary>A table for a terminal, a pipe, a Markdown file or a page. The first columns are words, aligned left; the others figures, aligned right.</summary>
/// <param name="words">How many columns are words.</param>
/// <param name="header">The columns' titles.</param>
public sealed class TextTable(int words, params string[] header)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, header.Length);
        _rows.Add(cells);
    }

    /// <summary>Columns two blanks apart, a rule below the header.</summary>
    public void Write(TextWriter writer)
    {
        var widths = Widths();
        writer.WriteLine(Line(header, widths, "  ").TrimEnd());
        writer.WriteLine(string.Join("  ", widths.Select(width => new string('─', width))));
        foreach (var row in _rows)
        {
            writer.WriteLine(Line(row, widths, "  ").TrimEnd());
        }
    }

    /// <summary>The same table in Markdown.</summary>
    public void WriteMarkdown(TextWriter writer)
    {
        var widths = Widths();
        writer.Write($"| {Line(header, widths, " | ")} |\n");
        writer.Write($"|{string.Join("|", widths.Select((width, i) => i < words ? $" {new string('-', width)} " : $" {new string('-', width)}:"))}|\n");
        foreach (var row in _rows)
        {
            writer.Write($"| {Line([.. row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))], widths, " | ")} |\n");
        }
    }

    /// <summary>The same table in HTML, in a box that scrolls by itself where the page is narrow.</summary>
    public void WriteHtml(MarkupWriter html, string caption)
    {
        using (html.Element("div", ("class", "scroll"), ("role", "region"), ("aria-label", caption), ("tabindex", "0")))
        using (html.Element("table"))
        {
            html.Element("caption", caption);
            using (html.Element("thead"))
            {
                WriteHtmlRow(html, "th", header);
            }

            using (html.Element("tbody"))
            {
                foreach (var row in _rows)
                {
                    WriteHtmlRow(html, "td", row);
                }
            }
        }

        html.Line();
    }

    private void WriteHtmlRow(MarkupWriter html, string element, string[] cells)
    {
        using (html.Element("tr"))
        {
            for (var i = 0; i < cells.Length; i++)
            {
                html.Element(element, cells[i].TrimEnd(), ("class", i < words ? "word" : null), ("scope", element == "th" ? "col" : null));
            }
        }
    }

    private int[] Widths() => [.. header.Select((title, i) => _rows.Select(row => row[i].Length).Append(title.Length).Max())];

    private string Line(string[] cells, int[] widths, string gap)
        => string.Join(gap, cells.Select((cell, i) => i < words ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])));
}
