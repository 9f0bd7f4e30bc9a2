using System.Globalization;
using System.Runtime.ExceptionServices;
using MASQuant.Engine.Text;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Generation;

/// <summary>The text of sequences as their tokens come.</summary>
internal static class AnswerPieces
{
    /// <summary>A piece whenever a sequence has text that is complete, and a last one when it ends, which the first stop string does.</summary>
    /// <param name="sequences">Each time one has a further token or has failed.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="stopStrings">Texts that end an answer.</param>
    /// <param name="thought">How the thoughts are written that the sequences begin with; null: they have none.</param>
    public static IEnumerable<BatchPiece> Of(IEnumerable<Sequence> sequences, Tokenizer tokenizer, IReadOnlyList<string> stopStrings, ThoughtFormat? thought)
    {
        var texts = new Dictionary<int, AnswerText>();
        foreach (var sequence in sequences)
        {
            if (!texts.TryGetValue(sequence.Prompt, out var text))
            {
                texts.Add(sequence.Prompt, text = new AnswerText(tokenizer, stopStrings, thought));
            }

            if (text.Add(sequence) is not { } piece)
            {
                continue;
            }

            if (piece.IsLast)
            {
                texts.Remove(sequence.Prompt);
            }

            yield return piece;
        }
    }

    /// <summary>The piece, unless its answer has failed.</summary>
    /// <exception cref="MASQuantException">What the answer has failed with.</exception>
    public static BatchPiece ThrowIfFailed(BatchPiece piece)
    {
        if (piece.Error is not null)
        {
            ExceptionDispatchInfo.Throw(piece.Error);
        }

        return piece;
    }

    /// <summary>The piece, whose error says of which prompt it is.</summary>
    public static BatchPiece WithPromptInError(BatchPiece piece) => piece.Error is not { } error
        ? piece
        : piece with
        {
            Error = new MASQuantException(error.Code, error.File, string.Create(CultureInfo.InvariantCulture, $"Prompt {piece.Prompt} of the batch, from 0: {error.Description}"), error) { Line = error.Line },
        };
}
