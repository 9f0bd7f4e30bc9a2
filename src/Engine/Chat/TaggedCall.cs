using System.Text;
using System.Text.Json;
using MASQuant.Diagnostics;

namespace MASQuant.Engine.Chat;

/// <summary>A call in <see cref="Formats.Models.ToolCallStyle.Tags"/>.</summary>
internal static class TaggedCall
{
    /// <summary>Writes a call.</summary>
    /// <exception cref="MASQuantException">MASQ0941: arguments that are no JSON object.</exception>
    public static string Of(ToolCallPart call)
    {
        try
        {
            using var arguments = JsonDocument.Parse(call.Arguments);
            var text = new StringBuilder($"<function={call.Name}>\n");
            foreach (var argument in arguments.RootElement.EnumerateObject())
            {
                text.Append($"<parameter={argument.Name}>\n").Append(Value(argument.Value)).Append("\n</parameter>\n");
            }

            return text.Append("</function>").ToString();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new MASQuantException(DiagnosticCodes.ChatMessageNotSupported, null, $"The arguments of a call of '{call.Name}' are no JSON object. Give one, with the arguments by name.", error);
        }
    }

    private static string Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => "True",
        JsonValueKind.False => "False",
        JsonValueKind.Null => "None",
        _ => value.GetRawText(),
    };
}
