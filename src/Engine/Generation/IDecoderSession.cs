using MASQuant.Engine.Models;

namespace MASQuant.Engine.Generation;

/// <summary>Sequences in progress, on the processor or on a device: the rows of a step, in the order in which they were started, and one prompt under evaluation. For one thread at a time.</summary>
public interface IDecoderSession : IDisposable
{
    /// <summary>Begins to evaluate the prompt of one more sequence, and gives up one that was begun and has not become a row.</summary>
    /// <param name="prompt">What is asked.</param>
    /// <param name="kept">Holds the first <see cref="PreparedPrompt.Evaluated"/> tokens of <paramref name="prompt"/>; null where there are none.</param>
    void Begin(PreparedPrompt prompt, IKeptTokens? kept = null);

    /// <summary>Evaluates further tokens of the prompt that was begun. With its last one the sequence becomes the last row and gets its first token. When it fails, the rows are as before.</summary>
    /// <param name="sequence">Chooses the token.</param>
    /// <param name="most">The most tokens, as a wish: what is evaluated at once is never more than the session's own number of them, and changes nothing but time.</param>
    /// <param name="cancellationToken">Obeyed between blocks.</param>
    /// <returns>Whether the sequence is a row.</returns>
    bool Advance(Sequence sequence, int most, CancellationToken cancellationToken);

    /// <summary>Whether the model has a position for a further token in the sequence of a row.</summary>
    bool HasRoom(int row);

    /// <summary>Evaluates the last token of each sequence and chooses those that follow. A sequence without a finite logit fails alone.</summary>
    /// <param name="sequences">One per row.</param>
    /// <param name="cancellationToken">Obeyed within the step, after which all sequences are as before.</param>
    void Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellationToken);

    /// <summary>Ends the sequence of a row, whose place the last row takes.</summary>
    void End(int row);

    /// <summary>Ends the sequence of a row as <see cref="End"/>, and keeps its keys and values for prompts that begin as it did.</summary>
    /// <returns>Null where none are kept: what a prompt begun behind them would lead to might differ in its last bits.</returns>
    IKeptTokens? Keep(int row);

    /// <inheritdoc cref="DecoderSession.Logits"/>
    Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellationToken = default);
}
