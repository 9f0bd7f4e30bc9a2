using System.Text;
using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Formats.Files;
using MASQuant.Formats.Models;

namespace MASQuant.Formats.Checkpoints;

/// <summary>The template with which other tools write a checkpoint's prompts. It is not run: prompts are written as the family's <see cref="ChatFormat"/>, which says what the templates say that are known.</summary>
public static class ChatTemplate
{
    private const string Member = "chat_template";

    // In the order in which transformers takes them.
    private static readonly string[] FileNames = ["chat_template.jinja", "chat_template.json", ProcessorFile.Common, "tokenizer_config.json"];

    /// <summary>MASQ0207 where a model has a template that is none of its family's; null where it has one of these, or none.</summary>
    /// <exception cref="MASQuantException">MASQ0101 unreadable or too large, MASQ0104 a Git LFS pointer.</exception>
    public static MASQuantException? WarningOf(IModelSource source)
    {
        foreach (var name in FileNames)
        {
            if (source.TryReadFile(name, out var content) && Find(name, content) is { } template)
            {
                return source.Family.Chat.Templates.Contains(Hash(template)) ? null : Unknown(Path.Combine(source.Path, name), source.Family);
            }
        }

        return null;
    }

    /// <summary>SHA-256 of a template, whichever line ends it has; one at its end, which is not rendered, counts for nothing.</summary>
    public static string Hash(string template)
    {
        var lines = template.TrimStart('\uFEFF').Replace("\r\n", "\n", StringComparison.Ordinal);
        return ContentHash.OfText(lines.EndsWith('\n') ? lines[..^1] : lines);
    }

    private static string? Find(string name, ReadOnlyMemory<byte> content)
    {
        if (!name.EndsWith(".json", StringComparison.Ordinal))
        {
            return Encoding.UTF8.GetString(content.Span);
        }

        try
        {
            using var json = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 32 });
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(Member, out var template) && template.ValueKind != JsonValueKind.Null
                ? template.ValueKind == JsonValueKind.String ? template.GetString() : template.GetRawText()
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return ""; // Told of as unknown; nobody else reads these files.
        }
    }

    private static MASQuantException Unknown(string file, ModelFamily family) => new(DiagnosticCodes.ChatTemplateUnknown, file,
        $"The chat template is not one that is known of {family.DisplayName}. It is not run: prompts are written as {family.DisplayName}'s format, and answers may differ from those of tools that run it. Compare a prompt of theirs, and give what is missing as the system message.");
}
