namespace MASQuant.Formats.Models;

/// <summary>What stands between the marks of a call.</summary>
public enum ToolCallStyle
{
    /// <summary><c>{"name": …, "arguments": …}</c>.</summary>
    Json,

    /// <summary><c>&lt;function=name&gt;⏎</c>, for each argument <c>&lt;parameter=name&gt;⏎value⏎&lt;/parameter&gt;⏎</c>, and <c>&lt;/function&gt;</c>: text as it is, lists and objects as JSON, <c>True</c>, <c>False</c> and <c>None</c> as Python spells them, numbers as they were given.</summary>
    Tags,
}
