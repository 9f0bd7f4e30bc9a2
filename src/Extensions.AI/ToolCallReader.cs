using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI;

/// <summary>Takes an answer's text as it comes and finds the calls of functions in it. No part of a call is given out as text, unless it turns out to be none: what is neither a JSON object with a name and arguments nor a function's tag with those of its parameters stays text.</summary>
/// <param name="answerId">What the ids of calls begin with.</param>
/// <param name="tools">The functions on offer: their schemas say what the text of a tag is.</param>
internal sealed class ToolCallReader(string answerId, IEnumerable<AITool>? tools = null)
{
    private const string Start = "<tool_call>";
    private const string End = "</tool_call>";

    // As templates write it: a line end before a call is a part of the call.
    private const string StartOfLine = "\n" + Start;

    private readonly StringBuilder _held = new();
    private bool _inCall;

    /// <summary>How many calls have come.</summary>
    public int Calls { get; private set; }

    /// <summary>What is complete with the next piece of text.</summary>
    public IEnumerable<AIContent> Append(string piece)
    {
        var from = Math.Max(0, _held.Length - End.Length);
        _held.Append(piece);
        while (true)
        {
            var held = _held.ToString();
            if (_inCall)
            {
                if (held.IndexOf(End, from, StringComparison.Ordinal) is >= 0 and var end)
                {
                    yield return Read(held[..(end + End.Length)], held[..end]);
                    Drop(end + End.Length, inCall: false);
                }
                else
                {
                    break;
                }
            }
            else if (held.IndexOf(Start, StringComparison.Ordinal) is >= 0 and var start)
            {
                var text = start > 0 && held[start - 1] == '\n' ? start - 1 : start;
                if (text > 0)
                {
                    yield return new TextContent(held[..text]);
                }

                Drop(text, inCall: true);
            }
            else
            {
                var complete = held.Length - Math.Max(Beginning(held, Start), Beginning(held, StartOfLine));
                if (complete > 0)
                {
                    yield return new TextContent(held[..complete]);
                    Drop(complete, inCall: false);
                }

                break;
            }

            from = 0;
        }
    }

    /// <summary>What remains when the answer has ended. A call that is whole but for its end is one.</summary>
    public IEnumerable<AIContent> Flush()
    {
        var held = _held.ToString();
        _held.Clear();
        if (_inCall)
        {
            yield return Read(held, held);
        }
        else if (Calls == 0 ? held.Length > 0 : !string.IsNullOrWhiteSpace(held))
        {
            yield return new TextContent(held);
        }
    }

    private void Drop(int count, bool inCall)
    {
        _held.Remove(0, count);
        _inCall = inCall;
    }

    private AIContent Read(string whole, string open)
    {
        var call = open[(open.IndexOf(Start, StringComparison.Ordinal) + Start.Length)..];
        if ((Arguments(call) ?? TaggedCallReader.Read(call, tools ?? [])) is not var (name, arguments))
        {
            return new TextContent(whole);
        }

        Calls++;
        return new FunctionCallContent($"{answerId}-{Calls}", name, arguments);
    }

    private static (string Name, Dictionary<string, object?> Arguments)? Arguments(string json)
    {
        try
        {
            using var call = JsonDocument.Parse(json);
            return call.RootElement.ValueKind == JsonValueKind.Object
                && call.RootElement.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
                && call.RootElement.TryGetProperty("arguments", out var arguments) && arguments.ValueKind == JsonValueKind.Object
                ? (name.GetString()!, ValuesOf(arguments.Clone()))
                : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            return null; // Half a surrogate pair is an InvalidOperationException.
        }
    }

    // A name that comes twice has its last value, as everywhere.
    private static Dictionary<string, object?> ValuesOf(JsonElement arguments)
    {
        _ = TemplateJson.Of(arguments); // A text that is none would fail whoever reads it.
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var argument in arguments.EnumerateObject())
        {
            values[argument.Name] = argument.Value;
        }

        return values;
    }

    // How many of the last characters may begin the mark.
    private static int Beginning(string text, string mark)
    {
        for (var length = Math.Min(text.Length, mark.Length - 1); length > 0; length--)
        {
            if (text.EndsWith(mark[..length], StringComparison.Ordinal))
            {
                return length;
            }
        }

        return 0;
    }
}
