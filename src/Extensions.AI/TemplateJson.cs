using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MASQuant.Extensions.AI;

/// <summary>JSON as chat templates write it, and so as models have seen it: in one line, a blank behind each comma and colon, letters of all languages as they are.</summary>
internal static class TemplateJson
{
    /// <summary>Writes a value.</summary>
    /// <exception cref="InvalidOperationException">A text in it has half a surrogate pair.</exception>
    public static string Of(JsonElement value)
    {
        var text = new StringBuilder();
        Write(value, text);
        return text.ToString();
    }

    /// <summary>Writes a text, quotes included.</summary>
    public static string Of(string value)
    {
        var text = new StringBuilder();
        Write(value, text);
        return text.ToString();
    }

    private static void Write(JsonElement value, StringBuilder text)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                Write(value.EnumerateObject(), '{', '}', text, property =>
                {
                    Write(property.Name, text);
                    text.Append(": ");
                    Write(property.Value, text);
                });
                break;
            case JsonValueKind.Array:
                Write(value.EnumerateArray(), '[', ']', text, element => Write(element, text));
                break;
            case JsonValueKind.String:
                Write(value.GetString()!, text);
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    private static void Write<T>(IEnumerable<T> values, char open, char close, StringBuilder text, Action<T> write)
    {
        text.Append(open);
        var first = true;
        foreach (var value in values)
        {
            text.Append(first ? "" : ", ");
            write(value);
            first = false;
        }

        text.Append(close);
    }

    private static void Write(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (var letter in value)
        {
            _ = letter switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"),
                _ => text.Append(letter),
            };
        }

        text.Append('"');
    }
}
