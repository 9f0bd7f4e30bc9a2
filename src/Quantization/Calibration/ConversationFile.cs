using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Formats.Files;

namespace MASQuant.Quantization.Calibration;

/// <summary>Reads conversations from a JSON Lines file: <c>{"task": …, "messages": [{"role": …, "content": text or a list of parts}]}</c>. Parts are <c>{"type": "text", "text": …}</c>,
/// <c>{"type": "image", "image": path}</c>, <c>{"type": "audio", "audio": path}</c> and <c>{"type": "video", "video": [paths], "fps": 2, "audio": path}</c>, <c>audio</c> being the video's own sound, if it is to be heard; paths are relative to the file and stay below its folder.</summary>
public static class ConversationFile
{
    /// <summary>The most characters of a conversation.</summary>
    public const int MaxLineLength = 1 << 24;
    private const double DefaultFramesPerSecond = 2;

    /// <summary>Reads every line; empty lines are skipped.</summary>
    /// <exception cref="MASQuantException">MASQ0401 a line is malformed, MASQ0402 a media file is missing, MASQ0405 the file is missing or empty.</exception>
    public static IReadOnlyList<Conversation> Read(string path, CancellationToken cancellationToken = default)
    {
        var conversations = new List<Conversation>();
        foreach (var (text, at) in Lines(path))
        {
            cancellationToken.ThrowIfCancellationRequested();
            conversations.Add(Parse(text, at));
        }

        return conversations.Count > 0 ? conversations : throw new MASQuantException(DiagnosticCodes.ConversationsMissing, path,
            "The file holds no conversation. Write one JSON object per line, {\"messages\": […]}.");
    }

    /// <summary>Reads one conversation.</summary>
    /// <param name="text">A line of such a file.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="folder">What its media's paths are relative to, and stay below.</param>
    /// <exception cref="MASQuantException">MASQ0401 it is malformed, MASQ0402 a media file is missing.</exception>
    public static Conversation ReadOne(string text, string name, string folder) => Parse(text, new Location(name, Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), 0));

    /// <summary>The lines that <see cref="Read"/> does not refuse.</summary>
    /// <exception cref="MASQuantException">MASQ0405: the file cannot be read.</exception>
    public static IEnumerable<Conversation> ReadValid(string path)
    {
        foreach (var (text, at) in Lines(path))
        {
            if (TryParse(text, at) is { } conversation)
            {
                yield return conversation;
            }
        }
    }

    // Empty lines are none.
    private static IEnumerable<(string Text, Location At)> Lines(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        RegularFile.Require(path);
        return TextLines(path).Select((text, index) => (text, new Location(path, folder, index + 1))).Where(line => !string.IsNullOrWhiteSpace(line.text));
    }

    private static IEnumerable<string> TextLines(string path)
    {
        using var lines = BoundedLines.Read(path, MaxLineLength).GetEnumerator();
        while (OrMissing(path, lines.MoveNext))
        {
            yield return lines.Current;
        }
    }

    private static T OrMissing<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MASQuantException(DiagnosticCodes.ConversationsMissing, path, $"The conversation file cannot be read: {e.Message.TrimEnd('.')}. Give a JSON Lines file, one conversation per line.", e);
        }
    }

    private static Conversation? TryParse(string text, Location at)
    {
        try
        {
            return Parse(text, at);
        }
        catch (MASQuantException)
        {
            return null;
        }
    }

    private static Conversation Parse(string text, Location at)
    {
        if (text.Length > MaxLineLength)
        {
            throw at.Invalid($"The line has more than the {MaxLineLength} characters that are read. Keep media in files of their own.");
        }

        try
        {
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 16 });
            var row = json.RootElement;
            var task = row.ValueKind == JsonValueKind.Object && row.TryGetProperty("task", out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
            var messages = Items(row, "messages", at).Select(message => Message(message, at)).ToArray();
            return messages.Length > 0 ? new Conversation(at.Line, task, messages) { File = at.File } : throw at.Invalid("'messages' is empty. A conversation needs at least one message of the user.");
        }
        catch (Exception e) when (e is not (MASQuantException or OutOfMemoryException))
        {
            // Not JsonException alone: half a surrogate pair, "\ud83d", is an InvalidOperationException.
            throw at.Invalid($"The line is not JSON: {e.Message}");
        }
    }

    private static ChatMessage Message(JsonElement message, Location at)
    {
        var role = Text(message, "role", at) switch
        {
            "system" => ChatRole.System,
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            var other => throw at.Invalid($"The role '{other}' is unknown. Roles are system, user and assistant."),
        };
        return message.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String
            ? new ChatMessage(role, content.GetString()!)
            : new ChatMessage(role, [.. Items(message, "content", at).Select(part => Part(part, at))]);
    }

    private static ContentPart Part(JsonElement part, Location at) => Text(part, "type", at) switch
    {
        "text" => new TextPart(Text(part, "text", at)),
        "image" => new ImagePart(Media(Text(part, "image", at), at)),
        "audio" => new AudioPart(Media(Text(part, "audio", at), at)),
        "video" => new VideoPart(Frames(part, at), FramesPerSecond(part, at)) { Sound = Sound(part, at) },
        var other => throw at.Invalid($"The part type '{other}' is unknown. Types are text, image, audio and video."),
    };

    private static MediaSource[] Frames(JsonElement part, Location at)
    {
        MediaSource[] frames = [.. Items(part, "video", at).Select(frame => frame.ValueKind == JsonValueKind.String ? Media(frame.GetString()!, at) : throw at.Invalid("A video is a list of frame files."))];
        return frames.Length > 0 ? frames : throw at.Invalid("A video needs at least one frame.");
    }

    // Who has the flag of transformers means the sound that a video's file would hold.
    private static MediaSource? Sound(JsonElement part, Location at)
    {
        if (part.TryGetProperty("audio", out _))
        {
            return Media(Text(part, "audio", at), at);
        }

        return part.TryGetProperty("use_audio_in_video", out var used) && used.ValueKind != JsonValueKind.False
            ? throw at.Invalid("'use_audio_in_video' asks for a sound, and frames have none. Give it as 'audio', a WAV file.")
            : null;
    }

    private static double FramesPerSecond(JsonElement part, Location at)
    {
        if (!part.TryGetProperty("fps", out var fps))
        {
            return DefaultFramesPerSecond;
        }

        return fps.ValueKind == JsonValueKind.Number && fps.TryGetDouble(out var rate) && rate is >= 0.001 and <= 1000 ? rate : throw at.Invalid("'fps' must be a number from 0.001 to 1000.");
    }

    private static MediaSource Media(string name, Location at)
    {
        var full = name.Contains('\0') ? "" : Path.GetFullPath(Path.Combine(at.Folder, name));
        if (!full.StartsWith(at.Folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw at.Missing($"The media path '{name}' leaves the folder of the conversation file. Copy the file below '{at.Folder}'.");
        }

        if (!RegularFile.Is(full))
        {
            throw at.Missing($"'{name}' is no file but a pipe, a socket or a device. Give a file.");
        }

        return File.Exists(full) ? MediaSource.File(full) : throw at.Missing($"The media file '{name}' does not exist. Paths are relative to the conversation file.");
    }

    private static string Text(JsonElement element, string name, Location at)
        => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw at.Invalid($"'{name}' is missing or not a text.");

    private static JsonElement.ArrayEnumerator Items(JsonElement element, string name, Location at)
        => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray()
            : throw at.Invalid($"'{name}' is missing or not a list.");

    private readonly record struct Location(string File, string Folder, int Line)
    {
        public MASQuantException Invalid(string message) => new(DiagnosticCodes.ConversationInvalid, File, message) { Line = Line };

        public MASQuantException Missing(string message) => new(DiagnosticCodes.ConversationMediaMissing, File, message) { Line = Line };
    }
}
