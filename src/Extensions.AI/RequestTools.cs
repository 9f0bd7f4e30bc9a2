using System.Text.Json;
using MASQuant.Diagnostics;
using Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI;

/// <summary>The functions of a request, their calls and results, in the words of a prompt.</summary>
internal static class RequestTools
{
    /// <summary>The signatures of the functions that a request offers; empty where it offers none, or says that none is to be called.</summary>
    /// <exception cref="MASQuantException">MASQ0940: a tool that is no function, or a mode that would force the model.</exception>
    public static IReadOnlyList<string> Signatures(ChatOptions? options)
    {
        if (options?.Tools is not { Count: > 0 } tools || options.ToolMode is NoneChatToolMode)
        {
            return [];
        }

        if (options.ToolMode is not (null or AutoChatToolMode) || options.AllowMultipleToolCalls is false)
        {
            throw RequestOptions.NotSupported($"The {(options.AllowMultipleToolCalls is false ? "AllowMultipleToolCalls" : "ToolMode")} would force the model, which calls as it likes");
        }

        return [.. tools.Select(tool => tool is AIFunctionDeclaration function ? Signature(function) : throw RequestOptions.NotSupported($"The tool '{tool.Name}' is a {tool.GetType().Name} and no function"))];
    }

    /// <summary>The arguments of a call in one line.</summary>
    /// <exception cref="MASQuantException">MASQ0941: a value that is no JSON.</exception>
    public static string Arguments(FunctionCallContent call) => Json(call.Name, () => TemplateJson.Of(JsonSerializer.SerializeToElement(call.Arguments ?? new Dictionary<string, object?>(), AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>)))));

    /// <summary>What a call gave: text as it is, all else as JSON.</summary>
    /// <exception cref="MASQuantException">MASQ0941: a value that is no JSON.</exception>
    public static string Result(FunctionResultContent result) => result.Result switch
    {
        null => "",
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } text => Json(result.CallId, () => text.GetString()!),
        var value => Json(result.CallId, () => TemplateJson.Of(JsonSerializer.SerializeToElement(value, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(object))))),
    };

    private static string Signature(AIFunctionDeclaration function)
    {
        var description = function.Description.Length > 0 ? $", \"description\": {TemplateJson.Of(function.Description)}" : "";
        return $"{{\"type\": \"function\", \"function\": {{\"name\": {TemplateJson.Of(function.Name)}{description}, \"parameters\": {Json(function.Name, () => TemplateJson.Of(function.JsonSchema))}}}}}";
    }

    private static string Json(string name, Func<string> write)
    {
        try
        {
            return write();
        }
        catch (Exception error) when (error is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new MASQuantException(DiagnosticCodes.ChatMessageNotSupported, null, $"What belongs to the function or call '{name}' cannot be written as JSON: {error.Message} Give text, numbers, lists and dictionaries, or JsonElement.", error);
        }
    }
}
