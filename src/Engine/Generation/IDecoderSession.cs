using MASQuant.Engine.Models;

namespace MASQuant.Engine.Generation;

/// <summary>Sequences in progress, on the processor or on a device: the rows of a step, in the order in which they were started. For one thread at a time.</summary>
public interface IDecoderSession : IDisposable
{
    /// <summary>Evaluates the prompt of one more sequence, which becomes the last row, and chooses the token that follows it. When it fails, the rows are as before.</summary>
    void Start(Sequence sequence, PreparedPrompt prompt, CancellationToken cancellationToken);

    /// <summary>Whether the model has a position for a further token in the sequence of a row.</summary>
    bool HasRoom(int row);

    /// <summary>Evaluates the last token of each sequence and chooses those that follow. A sequence without a finite logit fails alone.</summary>
    /// <param name="sequences">One per row.</param>
    /// <param name="cancellationToken">Obeyed within the step, after which all sequences are as before.</param>
    void Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellationToken);

    /// <summary>Ends the sequence of a row, whose place the last row takes.</summary>
    void End(int row);

    /// <inheritdoc cref="DecoderSession.Logits"/>
    Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellationToken = default);
}
