using System.Globalization;
using MASQuant.Engine.Text;

namespace MASQuant.Engine.Generation;

/// <summary>The text of sequences as their tokens come.</summary>
internal static class AnswerPieces
{
    /// <summary>A piece whenever a sequence has text that is complete, and a last one when it ends, which the first stop string does.</summary>
    /// <param name="sequences">Each time one has a further token or has failed.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="stopStrings">Texts that end an answer.</param>
    public static IEnumerable<BatchPiece> Of(IEnumerable<Sequence> sequences, Tokenizer tokenizer, IReadOnlyList<string> stopStrings)
    {
        var streams = new Dictionary<int, (TokenStream Stream, StopStringMatcher Matcher)>();
        foreach (var sequence in sequences)
        {
            if (!streams.TryGetValue(sequence.Prompt, out var answer))
            {
                streams.Add(sequence.Prompt, answer = (new TokenStream(tokenizer), new StopStringMatcher(stopStrings)));
            }

            var text = sequence.Error is null ? TextOf(sequence, answer.Stream, answer.Matcher) : "";
            if (sequence.HasEnded)
            {
                streams.Remove(sequence.Prompt);
                yield return new BatchPiece(sequence.Prompt, text, true, sequence.Error) { End = sequence.End, Usage = sequence.Usage };
            }
            else if (text.Length > 0)
            {
                yield return new BatchPiece(sequence.Prompt, text, false);
            }
        }
    }

    private static string TextOf(Sequence sequence, TokenStream stream, StopStringMatcher matcher)
    {
        var text = matcher.Append(stream.Append(sequence.Token) + (sequence.HasEnded ? stream.Flush() : ""));
        if (matcher.IsStopped)
        {
            sequence.Stop();
        }

        return sequence.HasEnded ? text + matcher.Flush() : text;
    }

    /// <summary>The piece, whose error says of which prompt it is.</summary>
    public static BatchPiece WithPromptInError(BatchPiece piece) => piece.Error is not { } error
        ? piece
        : piece with
        {
            Error = new MASQuantException(error.Code, error.File, string.Create(CultureInfo.InvariantCulture, $"Prompt {piece.Prompt} of the batch, from 0: {error.Description}"), error) { Line = error.Line },
        };
}
