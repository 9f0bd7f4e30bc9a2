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
        Trim(parts, 0, 1, text => text.TrimStart());

        // Functions and calls come behind all text.
        Trim(parts, parts.FindLastIndex(part => part is not (ToolsPart or ToolCallPart)), -1, text => text.TrimEnd());
        return parts;
    }

    // From one end on, until a text has something left.
    private static void Trim(List<ContentPart> parts, int at, int step, Func<string, string> trim)
    {
        for (var left = ""; left.Length == 0 && at >= 0 && at < parts.Count && parts[at] is TextPart text; at += step)
        {
            left = trim(text.Text);
            parts[at] = new TextPart(left);
        }
    }
}
