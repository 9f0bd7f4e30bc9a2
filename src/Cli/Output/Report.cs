using System.Text;
using MASQuant.Cli.Options;
using MASQuant.Formats.Files;

namespace MASQuant.Cli.Output;

/// <summary>Figures in their forms.</summary>
/// <param name="Tables">For people.</param>
/// <param name="Note">One line below the tables.</param>
/// <param name="Json">For programs.</param>
/// <param name="Page">For people who want to look closer: renders an HTML page.</param>
internal sealed record Report(IReadOnlyList<TextTable> Tables, string Note, string Json, Func<string> Page)
{
    /// <summary>Writes JSON, Markdown and the page where they are wanted; the tables to standard output unless one of the others goes there.</summary>
    public void Write(CommandConsole console, bool json, string? jsonFile, string? markdown, string? page)
    {
        if (jsonFile is not null)
        {
            Save(console, jsonFile, Json);
        }

        if (markdown is not null)
        {
            Save(console, markdown, Text((table, writer) => table.WriteMarkdown(writer)));
        }

        if (page is not null)
        {
            Save(console, page, Page());
        }

        if (json)
        {
            console.Output.Write(Json);
        }
        else if (markdown != WrittenOption.StandardOutput && page != WrittenOption.StandardOutput)
        {
            console.Output.Write(Text((table, writer) => table.Write(writer)));
        }
    }

    private string Text(Action<TextTable, TextWriter> write)
    {
        using var text = new StringWriter { NewLine = "\n" };
        foreach (var table in Tables)
        {
            write(table, text);
            text.WriteLine();
        }

        text.WriteLine(Note);
        return text.ToString();
    }

    private static void Save(CommandConsole console, string file, string text)
    {
        if (file == WrittenOption.StandardOutput)
        {
            console.Output.Write(text);
            return;
        }

        AtomicFile.Write(file, Encoding.UTF8.GetBytes(text));
    }
}
