using System.Text;
using System.Text.Json;

namespace MASQuant.Cli.Output;

/// <summary>What <c>--json</c> puts on standard output: one object, the command's answer or why there is none.</summary>
internal static class JsonAnswer
{
    /// <summary>The switch.</summary>
    public const string Switch = "--json";

    private static readonly JsonWriterOptions Format = new() { Indented = true, NewLine = "\n" };

    /// <summary>Writes an answer.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="members">Writes the object's members.</param>
    public static void Write(CommandConsole console, Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Format))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        console.Output.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
        console.Output.Flush();
    }

    /// <summary>Writes why there is no answer.</summary>
    public static void WriteError(CommandConsole console, MASQuantException error) => Write(console, json =>
    {
        json.WriteStartObject("error");
        json.WriteString("code", error.Code);
        json.WriteString("message", error.Description);
        json.WriteString("file", error.File);
        if (error.Line > 0)
        {
            json.WriteNumber("line", error.Line);
        }
        else
        {
            json.WriteNull("line");
        }

        json.WriteString("remedy", Remedy(error.Description));
        json.WriteEndObject();
    });

    // A message's last sentence.
    private static string Remedy(string message)
    {
        for (var place = message.Length - 3; place > 0; place--)
        {
            if (message[place] is '.' or '?' or '!' && message[place + 1] == ' ' && (char.IsUpper(message[place + 2]) || message[place + 2] is '\'' or '-'))
            {
                return message[(place + 2)..];
            }
        }

        return message;
    }
}
