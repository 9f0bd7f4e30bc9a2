namespace MASQuant.Formats.Models;

/// <summary>How functions that a model may call, its calls and their results stand in a conversation.</summary>
/// <param name="Head">Precedes the signatures, a line each, behind the instructions of the system message.</param>
/// <param name="Tail">Follows them.</param>
/// <param name="CallStart">Begins a call: <c>CallStart⏎{"name": …, "arguments": …}⏎CallEnd</c>.</param>
/// <param name="CallEnd">Ends a call.</param>
/// <param name="ResultStart">Begins a result, in a turn of the user's: <c>ResultStart⏎text⏎ResultEnd</c>.</param>
/// <param name="ResultEnd">Ends a result.</param>
public sealed record ToolFormat(string Head, string Tail, string CallStart, string CallEnd, string ResultStart, string ResultEnd)
{
    /// <summary>That of the chat templates whose calls are JSON between tags.</summary>
    public static ToolFormat TaggedJson { get; } = new(
        "# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with function signatures within <tools></tools> XML tags:\n<tools>",
        "\n</tools>\n\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>",
        "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>");

    /// <summary>What is a token where the tokenizer has it, and text elsewhere.</summary>
    public IReadOnlyList<string> Marks => [CallStart, CallEnd, ResultStart, ResultEnd];
}
