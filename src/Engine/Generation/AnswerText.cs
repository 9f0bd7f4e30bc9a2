using MASQuant.Engine.Text;

namespace MASQuant.Engine.Generation;

/// <summary>The text of one sequence as its tokens come.</summary>
/// <param name="tokenizer">The model's.</param>
/// <param name="stopStrings">Texts that end the answer.</param>
internal sealed class AnswerText(Tokenizer tokenizer, IReadOnlyList<string> stopStrings)
{
    private readonly TokenStream _stream = new(tokenizer);
    private readonly StopStringMatcher _matcher = new(stopStrings);

    /// <summary>What the sequence's last token completes: a piece with text, or the last one; null: neither. The first stop string ends the sequence.</summary>
    public BatchPiece? Add(Sequence sequence)
    {
        var text = sequence.Error is null ? Append(sequence) : "";
        if (sequence.HasEnded)
        {
            return new BatchPiece(sequence.Prompt, text, true, sequence.Error) { End = sequence.End, Usage = sequence.Usage };
        }

        return text.Length > 0 ? new BatchPiece(sequence.Prompt, text, false) : null;
    }

    private string Append(Sequence sequence)
    {
        var text = _matcher.Append(_stream.Append(sequence.Token) + (sequence.HasEnded ? _stream.Flush() : ""));
        if (_matcher.IsStopped)
        {
            sequence.Stop();
        }

        return sequence.HasEnded ? text + _matcher.Flush() : text;
    }
}
