namespace MASQuant.Cli;

/// <summary>A table for a terminal, a pipe or a Markdown file. The first columns are words, aligned left; the others figures, aligned right.</summary>
/// <param name="words">How many columns are words.</param>
/// <param name="header">The columns' titles.</param>
internal sealed class TextTable(int words, params string[] header)
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

    private int[] Widths() => [.. header.Select((title, i) => _rows.Select(row => row[i].Length).Append(title.Length).Max())];

    private string Line(string[] cells, int[] widths, string gap)
        => string.Join(gap, cells.Select((cell, i) => i < words ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i])));
}
