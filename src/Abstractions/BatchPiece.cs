namespace MASQuant;

/// <summary>A piece of an answer, in a batch of one of the answers. Prompts' first pieces come in any order: a token that is a part of a character gives none.</summary>
/// <param name="Prompt">The number of the prompt that is answered, from 0.</param>
/// <param name="Text">What follows in its answer; the last piece may be empty.</param>
/// <param name="IsLast">Whether the answer ends with it. Every prompt has exactly one last piece.</param>
/// <param name="Error">Why the answer is not whole, in a last piece; otherwise null.</param>
public readonly record struct BatchPiece(int Prompt, string Text, bool IsLast, MASQuantException? Error = null)
{
    /// <summary>What follows in what the model thinks before its answer (<see cref="GenerationOptions.Thinks"/>), without the marks and the white space around it; null: nothing.</summary>
    public string? Thought { get; init; }

    /// <summary>Why the answer has ended, in a last piece; otherwise null.</summary>
    public EndReason? End { get; init; }

    /// <summary>What the answer took, in a last piece; otherwise null.</summary>
    public AnswerUsage? Usage { get; init; }
}
