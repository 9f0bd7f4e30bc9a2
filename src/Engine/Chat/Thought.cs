using MASQuant.Formats.Models;

namespace MASQuant.Engine.Chat;

/// <summary>An answer, parted from what was thought before it.</summary>
/// <param name="Text">What was thought, without marks; empty where nothing was.</param>
/// <param name="Answer">The parts behind it.</param>
internal sealed record Thought(string Text, IReadOnlyList<ContentPart> Answer)
{
    /// <summary>Parts an answer's text at the last mark that ends a thought.</summary>
    public static Thought Of(IReadOnlyList<ContentPart> content, ThoughtFormat format)
    {
        var text = string.Concat(content.OfType<TextPart>().Select(part => part.Text));
        var last = text.LastIndexOf(format.End, StringComparison.Ordinal);
        if (last < 0)
        {
            return new Thought("", content);
        }

        var thought = text[..text.IndexOf(format.End, StringComparison.Ordinal)];
        var start = thought.LastIndexOf(format.Start, StringComparison.Ordinal);
        return new Thought((start < 0 ? thought : thought[(start + format.Start.Length)..]).Trim(), [new TextPart(text[(last + format.End.Length)..].TrimStart('\n')), .. content.Where(part => part is not TextPart)]);
    }
}
