using MASQuant.Engine.Text;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Generation;

/// <summary>The text of one sequence as its tokens come.</summary>
/// <param name="tokenizer">The model's.</param>
/// <param name="stopStrings">Texts that end the answer; what is thought before it they do not end.</param>
/// <param name="thought">How the thought is written that the sequence begins with; null: it has none.</param>
internal sealed class AnswerText(Tokenizer tokenizer, IReadOnlyList<string> stopStrings, ThoughtFormat? thought = null)
{
    private readonly TokenStream _stream = new(tokenizer);
    private readonly ThoughtReader? _thought = thought is null ? null : new ThoughtReader(thought);
    private readonly StopStringMatcher _matcher = new(stopStrings);

    /// <summary>What the sequence's last token completes: a piece with text, or the last one; null: neither. The first stop string ends the sequence.</summary>
    public BatchPiece? Add(Sequence sequence)
    {
        var (thought, text) = sequence.Error is null ? Append(sequence) : ("", "");
        return sequence.HasEnded || thought.Length > 0 || text.Length > 0
            ? new BatchPiece(sequence.Prompt, text, sequence.HasEnded, sequence.Error)
            {
                Thought = thought.Length > 0 ? thought : null,
                End = sequence.End,
                Usage = sequence.HasEnded ? sequence.Usage : null,
            }
            : null;
    }

    private (string Thought, string Text) Append(Sequence sequence)
    {
        var come = _stream.Append(sequence.Token) + (sequence.HasEnded ? _stream.Flush() : "");
        var (thought, said) = _thought?.Append(come, sequence.HasEnded) ?? ("", come);
        var text = _matcher.Append(said);
        if (_matcher.IsStopped)
        {
            sequence.Stop();
        }

        return (thought, sequence.HasEnded ? text + _matcher.Flush() : text);
    }
}
