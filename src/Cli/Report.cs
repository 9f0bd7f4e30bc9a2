using System.Text;
using MASQuant.Safetensors;

namespace MASQuant.Cli;

/// <summary>Figures in their three forms.</summary>
/// <param name="Tables">For people.</param>
/// <param name="Note">One line below the tables.</param>
/// <param name="Json">For programs.</param>
internal sealed record Report(IReadOnlyList<TextTable> Tables, string Note, string Json)
{
    private const string StandardOutput = "-";

    /// <summary>Writes JSON and Markdown where they are wanted; the tables to standard output unless one of the others goes there.</summary>
    public void Write(CommandConsole console, string? json, string? markdown)
    {
        if (json is not null)
        {
            Save(console, json, Json);
        }

        if (markdown is not null)
        {
            Save(console, markdown, Text((table, writer) => table.WriteMarkdown(writer)));
        }

        if (json != StandardOutput && markdown != StandardOutput)
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
        if (file == StandardOutput)
        {
            console.Output.Write(text);
            return;
        }

        AtomicFile.Write(file, Encoding.UTF8.GetBytes(text));
    }
}
