using System.Globalization;
using MASQuant.Engine.Text;

namespace MASQuant.Engine.Generation;

/// <summary>The text of sequences as their tokens come.</summary>
internal static class AnswerPieces
{
    /// <summary>A piece whenever a sequence has text that is complete, and a last one when it ends.</summary>
    /// <param name="sequences">Each time one has a further token or has failed.</param>
    /// <param name="tokenizer">The model's.</param>
    public static IEnumerable<BatchPiece> Of(IEnumerable<Sequence> sequences, Tokenizer tokenizer)
    {
        var streams = new Dictionary<int, TokenStream>();
        foreach (var sequence in sequences)
        {
            if (!streams.TryGetValue(sequence.Prompt, out var stream))
            {
                streams.Add(sequence.Prompt, stream = new TokenStream(tokenizer));
            }

            var text = sequence.Error is null ? stream.Append(sequence.Token) : "";
            if (sequence.HasEnded)
            {
                text += sequence.Error is null ? stream.Flush() : "";
                streams.Remove(sequence.Prompt);
            }

            if (text.Length > 0 || sequence.HasEnded)
            {
                yield return new BatchPiece(sequence.Prompt, text, sequence.HasEnded, sequence.Error);
            }
        }
    }

    /// <summary>The piece, whose error says of which prompt it is.</summary>
    public static BatchPiece WithPromptInError(BatchPiece piece) => piece.Error is not { } error
        ? piece
        : piece with
        {
            Error = new MASQuantException(error.Code, error.File, string.Create(CultureInfo.InvariantCulture, $"Prompt {piece.Prompt} of the batch, from 0: {error.Description}"), error) { Line = error.Line },
        };
}
