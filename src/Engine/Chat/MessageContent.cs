using MASQuant.Formats.Models;

namespace MASQuant.Engine.Chat;

/// <summary>A message's parts in the order and with the white space of a family's <see cref="ChatFormat"/>.</summary>
internal static class MessageContent
{
    /// <summary>The parts as they are written.</summary>
    public static IReadOnlyList<ContentPart> Of(IReadOnlyList<ContentPart> content, ChatFormat format)
    {
        var parts = format.TrimsContent ? Trimmed(content) : content;
        return format.Tools is { PrecedesInstructions: true } && parts.OfType<ToolsPart>().FirstOrDefault() is { } tools ? Before(tools, [.. parts.Where(part => part != tools)]) : parts;
    }

    private static ContentPart[] Before(ToolsPart tools, ContentPart[] instructions)
        => instructions.Any(part => part is TextPart { Text.Length: > 0 }) ? [tools, new TextPart("\n\n"), .. instructions] : [tools];

    // Text beside a medium keeps the white space on that side.
    private static List<ContentPart> Trimmed(IReadOnlyList<ContentPart> content)
    {
        List<ContentPart> parts = [.. content.Select(part => part is ToolResultPart result ? new ToolResultPart(result.Text.Trim()) : part)];
        for (var at = 0; at < parts.Count && parts[at] is TextPart text; at++)
        {
            parts[at] = new TextPart(text.Text.TrimStart());
            if (parts[at] is TextPart { Text.Length: > 0 })
            {
                break;
            }
        }

        // Functions and calls come behind all text.
        for (var at = parts.FindLastIndex(part => part is not (ToolsPart or ToolCallPart)); at >= 0 && parts[at] is TextPart text; at--)
        {
            parts[at] = new TextPart(text.Text.TrimEnd());
            if (parts[at] is TextPart { Text.Length: > 0 })
            {
                break;
            }
        }

        return parts;
    }
}
