using MASQuant.Formats.Models;

namespace MASQuant.Engine.Generation;

/// <summary>Parts text that begins within a thought, as it comes, at the mark that ends it. White space around the thought and line ends before the answer belong to neither; text that may be the beginning of the mark is held back.</summary>
/// <param name="format">Says the mark.</param>
internal sealed class ThoughtReader(ThoughtFormat format)
{
    private readonly StopStringMatcher _mark = new([format.End]);

    // White space that is the thought's if more of it follows.
    private string _space = "";
    private bool _hasThought;
    private bool _hasAnswer;

    /// <summary>Takes the text that follows, and returns what is complete with it.</summary>
    /// <param name="text">May be empty.</param>
    /// <param name="isLast">Whether nothing follows: what was held back is thought.</param>
    public (string Thought, string Answer) Append(string text, bool isLast)
    {
        if (_mark.IsStopped)
        {
            return ("", Answer(text));
        }

        var thought = _mark.Append(text);
        return _mark.IsStopped ? (Thought(thought), Answer(_mark.Rest)) : (Thought(isLast ? thought + _mark.Flush() : thought), "");
    }

    private string Thought(string text)
    {
        text = _hasThought ? _space + text : text.TrimStart();
        var thought = text.TrimEnd();
        _space = text[thought.Length..];
        _hasThought |= thought.Length > 0;
        return thought;
    }

    private string Answer(string text)
    {
        text = _hasAnswer ? text : text.TrimStart('\n');
        _hasAnswer |= text.Length > 0;
        return text;
    }
}
