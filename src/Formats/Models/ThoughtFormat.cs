namespace MASQuant.Formats.Models;

/// <summary>How what a model thinks before an answer stands at the answer's beginning: <c>Start⏎thought⏎End⏎⏎</c>. Written where the tokenizer has both marks; a tokenizer without them is of a model that has no such block.</summary>
/// <param name="Start">Begins the thought.</param>
/// <param name="End">Ends it.</param>
public sealed record ThoughtFormat(string Start, string End)
{
    /// <summary>What are tokens.</summary>
    public IReadOnlyList<string> Marks => [Start, End];
}
