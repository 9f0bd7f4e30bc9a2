namespace MASQuant.Formats.Models;

/// <summary>How functions that a model may call, its calls and their results stand in a conversation.</summary>
/// <param name="Head">Precedes the signatures, a line each, in the system message.</param>
/// <param name="Tail">Follows them.</param>
/// <param name="CallStart">Begins a call: <c>CallStart⏎call⏎CallEnd</c>.</param>
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

    /// <summary>That of the chat templates whose calls are tags: functions come before the instructions, and an empty line before an answer's first call.</summary>
    public static ToolFormat Tags { get; } = new(
        "# Tools\n\nYou have access to the following functions:\n\n<tools>",
        "\n</tools>\n\nIf you choose to call a function ONLY reply in the following format with NO suffix:\n\n<tool_call>\n<function=example_function_name>\n<parameter=example_parameter_1>\nvalue_1\n</parameter>\n"
            + "<parameter=example_parameter_2>\nThis is the value for the second parameter\nthat can span\nmultiple lines\n</parameter>\n</function>\n</tool_call>\n\n<IMPORTANT>\nReminder:\n"
            + "- Function calls MUST follow the specified format: an inner <function=...></function> block must be nested within <tool_call></tool_call> XML tags\n- Required parameters MUST be specified\n"
            + "- You may provide optional reasoning for your function call in natural language BEFORE the function call, but NOT after\n"
            + "- If there is no function call available, answer the question like normal with your current knowledge and do not tell the user about function calls\n</IMPORTANT>",
        "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
    {
        Style = ToolCallStyle.Tags,
        PrecedesInstructions = true,
        BeforeFirstCall = "\n\n",
    };

    /// <summary>What stands between the marks of a call.</summary>
    public ToolCallStyle Style { get; init; }

    /// <summary>Whether functions stand before the instructions of the system message, in place of behind them.</summary>
    public bool PrecedesInstructions { get; init; }

    /// <summary>What parts an answer's text from its first call.</summary>
    public string BeforeFirstCall { get; init; } = "\n";

    /// <summary>What is a token where the tokenizer has it, and text elsewhere.</summary>
    public IReadOnlyList<string> Marks => [CallStart, CallEnd, ResultStart, ResultEnd];
}
