using System.Text.Json;
using Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI;

/// <summary>Reads <c>&lt;function=name&gt;</c> with a <c>&lt;parameter=name&gt;⏎value⏎&lt;/parameter&gt;</c> for each argument. Nothing but the function's schema says whether a value is text or JSON.</summary>
internal static class TaggedCallReader
{
    private const string Function = "<function=";
    private const string FunctionEnd = "</function>";
    private const string Parameter = "<parameter=";
    private const string ParameterEnd = "</parameter>";

    /// <summary>Name and arguments; null where the text is no such call. A parameter that comes twice has its last value.</summary>
    public static (string Name, Dictionary<string, object?> Arguments)? Read(string call, IEnumerable<AITool> tools)
    {
        var rest = call.AsSpan().Trim();
        if (!Open(ref rest, Function, out var name))
        {
            return null;
        }

        var schema = tools.OfType<AIFunctionDeclaration>().FirstOrDefault(tool => tool.Name == name)?.JsonSchema;
        var arguments = new Dictionary<string, object?>(StringComparer.Ordinal);
        while (Open(ref rest, Parameter, out var parameter))
        {
            if (EndOfValue(rest) is not (>= 0 and var end))
            {
                return null;
            }

            arguments[parameter] = Value(Lines(rest[..end]), TypesOf(schema, parameter));
            rest = rest[(end + ParameterEnd.Length)..].TrimStart();
        }

        return rest.SequenceEqual(FunctionEnd) ? (name, arguments) : null;
    }

    private static bool Open(ref ReadOnlySpan<char> text, string tag, out string name)
    {
        name = "";
        if (!text.StartsWith(tag, StringComparison.Ordinal) || text.IndexOf('>') is not (>= 0 and var end))
        {
            return false;
        }

        name = text[tag.Length..end].Trim().ToString();
        text = tag == Function ? text[(end + 1)..].TrimStart() : text[(end + 1)..];
        return name.Length > 0;
    }

    // A value may spell the mark that ends it: what counts is one that another parameter or the call's end follows.
    private static int EndOfValue(ReadOnlySpan<char> text)
    {
        for (var from = 0; text[from..].IndexOf(ParameterEnd, StringComparison.Ordinal) is >= 0 and var at; from += at + ParameterEnd.Length)
        {
            var behind = text[(from + at + ParameterEnd.Length)..].TrimStart();
            if (behind.StartsWith(Parameter, StringComparison.Ordinal) || behind.StartsWith(FunctionEnd, StringComparison.Ordinal))
            {
                return from + at;
            }
        }

        return -1;
    }

    // The line ends beside the tags are theirs.
    private static string Lines(ReadOnlySpan<char> text)
    {
        text = text.StartsWith("\n") ? text[1..] : text;
        return (text.EndsWith("\n") ? text[..^1] : text).ToString();
    }

    private static string[] TypesOf(JsonElement? schema, string parameter)
    {
        if (schema is not { ValueKind: JsonValueKind.Object } function
            || !function.TryGetProperty("properties", out var properties) || properties.ValueKind != JsonValueKind.Object
            || !properties.TryGetProperty(parameter, out var property) || property.ValueKind != JsonValueKind.Object
            || !property.TryGetProperty("type", out var type))
        {
            return [];
        }

        return type.ValueKind switch
        {
            JsonValueKind.String => [type.GetString()!],
            JsonValueKind.Array => [.. type.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!)],
            _ => [],
        };
    }

    // Text stays text where the schema allows it, JSON or not; where no type is said, lists and objects are JSON and all else is text.
    private static JsonElement Value(string text, string[] types)
    {
        var json = text.Trim() switch { "True" => "true", "False" => "false", "None" => "null", var other => other };
        return json == "null" && types.Contains("null") ? Parse("null")!.Value
            : !types.Contains("string") && (types.Length > 0 || json.StartsWith('{') || json.StartsWith('[')) && Parse(json) is { } value ? value
            : Parse(TemplateJson.Of(text))!.Value;
    }

    private static JsonElement? Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            _ = TemplateJson.Of(document.RootElement); // A text that is none would fail whoever reads it.
            return document.RootElement.Clone();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
