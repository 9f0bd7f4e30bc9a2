using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Server;

/// <summary>Reads a message. Its <c>name</c> has no place in a prompt.</summary>
internal static class MessageReader
{
    private const int MostOfHead = 64;
    private static readonly SearchValues<char> TypeCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-");

    public static Ai.ChatMessage Read(Field field)
    {
        var members = field.Members("role", "content", "name", "tool_calls", "tool_call_id", "refusal", "reasoning_content");
        var role = field.Required(members, "role");
        return role.Text() switch
        {
            "system" or "developer" => new Ai.ChatMessage(Ai.ChatRole.System, Texts(Content())),
            "user" => new Ai.ChatMessage(Ai.ChatRole.User, [.. Contents(Content())]),
            "assistant" => new Ai.ChatMessage(Ai.ChatRole.Assistant, [.. Thought(members), .. members.ContainsKey("content") ? Texts(Content()) : [], .. Calls(members)]),
            "tool" => new Ai.ChatMessage(Ai.ChatRole.Tool, [new FunctionResultContent(field.Required(members, "tool_call_id").Text(), string.Concat(Texts(Content()).Cast<TextContent>().Select(text => text.Text)))]),
            _ => throw role.Refuse("must be system, developer, user, assistant or tool."),
        };

        Field Content() => field.Required(members, "content");
    }

    private static List<AIContent> Texts(Field content) => content.IsText ? [new TextContent(content.Text())] : [.. content.Items().Select(part => Part(part, textAlone: true))];

    private static IEnumerable<AIContent> Contents(Field content) => content.IsText ? [new TextContent(content.Text())] : content.Items().Select(part => Part(part, textAlone: false));

    private static AIContent Part(Field part, bool textAlone)
    {
        var members = part.Members("type", "text", "image_url", "input_audio");
        var type = part.Required(members, "type");
        return type.Text() switch
        {
            "text" => new TextContent(part.Required(members, "text").Text()),
            _ when textAlone => throw type.Refuse("must be text in a message of this role."),
            "image_url" => Image(part.Required(members, "image_url")),
            "input_audio" => Audio(part.Required(members, "input_audio")),
            _ => throw type.Refuse("must be text, image_url or input_audio."),
        };
    }

    private static DataContent Image(Field image)
    {
        var members = image.Members("url", "detail");
        if (members.TryGetValue("detail", out var detail))
        {
            detail.Only(detail.Text() == "auto", "auto");
        }

        var url = image.Required(members, "url");
        var text = url.Text();
        if (!text.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            throw url.Refuse("must be a data URL: this server fetches nothing. Send the picture's bytes as data:image/png;base64,…");
        }

        // What the picture is, its bytes say, to a model that reads it or not.
        var head = text.AsSpan(0, Math.Min(text.Length, MostOfHead));
        var end = head.IndexOf(";base64,", StringComparison.OrdinalIgnoreCase);
        return end > "data:image/".Length && head.StartsWith("data:image/", StringComparison.OrdinalIgnoreCase) && !head["data:image/".Length..end].ContainsAnyExcept(TypeCharacters)
            ? new DataContent(Bytes(url, text, end + ";base64,".Length), text["data:".Length..end])
            : throw url.Refuse("must begin with data:image/png;base64, or another type of image.");
    }

    private static DataContent Audio(Field audio)
    {
        var members = audio.Members("data", "format");
        var format = audio.Required(members, "format");
        var type = format.Text();
        format.Only(type is "wav" or "mp3", "wav or mp3");
        var data = audio.Required(members, "data");
        return new DataContent(Bytes(data, data.Text(), 0), $"audio/{type}");
    }

    private static byte[] Bytes(Field field, string text, int from)
    {
        var bytes = new byte[((text.Length - from) / 4 * 3) + 3];
        return Convert.TryFromBase64Chars(text.AsSpan(from), bytes, out var count) && count > 0 ? bytes[..count] : throw field.Refuse("is no base64, or empty.");
    }

    private static TextReasoningContent[] Thought(Dictionary<string, Field> members) => members.TryGetValue("reasoning_content", out var thought) ? [new TextReasoningContent(thought.Text())] : [];

    private static IEnumerable<AIContent> Calls(Dictionary<string, Field> members) => members.TryGetValue("tool_calls", out var calls) ? calls.Items().Select(Call) : [];

    private static FunctionCallContent Call(Field call)
    {
        var members = call.Members("id", "type", "function");
        ToolReader.RequireFunction(call.Required(members, "type"));
        var function = call.Required(members, "function");
        var parts = function.Members("name", "arguments");
        return new FunctionCallContent(call.Required(members, "id").Text(), function.Required(parts, "name").Text(), Arguments(function.Required(parts, "arguments")));
    }

    private static Dictionary<string, object?> Arguments(Field field)
    {
        try
        {
            using var document = JsonDocument.Parse(field.Text());
            return document.RootElement.EnumerateObject().ToDictionary(argument => argument.Name, object? (argument) => argument.Value.Clone(), StringComparer.Ordinal);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            throw field.Refuse("must be the text of a JSON object that names no member twice.");
        }
    }
}
