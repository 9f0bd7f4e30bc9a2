using MASQuant.Diagnostics;
using MASQuant.Engine.Text;
using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Chat;

/// <summary>Qwen's chat format: <c>&lt;|im_start|&gt;role⏎content&lt;|im_end|&gt;⏎</c> per message, media between their start and end tokens.</summary>
public sealed class ChatFormat
{
    private const string DefaultSystem = "You are a helpful assistant.";
    private readonly ModelConfig _config;
    private readonly int _start;
    private readonly int _end;
    private readonly List<TextSegment> _segments = [];
    private readonly List<ContentPart> _media = [];

    private ChatFormat(ModelConfig config, Tokenizer tokenizer)
    {
        _config = config;
        _start = Required("<|im_start|>", tokenizer);
        _end = Required("<|im_end|>", tokenizer);
    }

    /// <summary>
    /// Renders a conversation. After a message of the user, the assistant's turn is left open for generation; a last message of the assistant is
    /// closed and reported as the answer, whose tokens are those that generation would give: text is not merged across its beginning.
    /// </summary>
    /// <param name="messages">At least one message.</param>
    /// <param name="config">Gives the tokens around and in place of media.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.ChatTokenMissing"/> or <see cref="DiagnosticCodes.UnsupportedModality"/></exception>
    public static TokenizedPrompt Render(IReadOnlyList<ChatMessage> messages, ModelConfig config, Tokenizer tokenizer)
    {
        if (messages.Count == 0)
        {
            throw new ArgumentException("A prompt needs at least one message.", nameof(messages));
        }

        var format = new ChatFormat(config, tokenizer);
        var answer = messages[^1] is { Role: ChatRole.Assistant } last ? last : null;
        if (messages[0].Role != ChatRole.System)
        {
            format.Message(new ChatMessage(ChatRole.System, DefaultSystem));
        }

        foreach (var message in answer is null ? messages : messages.Take(messages.Count - 1))
        {
            format.Message(message);
        }

        format.Open(ChatRole.Assistant);
        var tokens = tokenizer.EncodeSegments(format._segments);
        if (answer is null)
        {
            return new TokenizedPrompt([.. tokens], format._media, null);
        }

        var begin = tokens.Count;
        format._segments.Clear();
        format.Content(answer);
        format._segments.Add(TextSegment.Token(format._end));
        tokens.AddRange(tokenizer.EncodeSegments(format._segments));
        var end = tokens.Count;
        tokens.AddRange(tokenizer.EncodeSegments([TextSegment.Plain("\n")]));
        return new TokenizedPrompt([.. tokens], format._media, new Range(Index.FromEnd(tokens.Count - begin), Index.FromEnd(tokens.Count - end)));
    }

    private void Message(ChatMessage message)
    {
        Open(message.Role);
        Content(message);
        _segments.Add(TextSegment.Token(_end));
        _segments.Add(TextSegment.Plain("\n"));
    }

    private void Open(ChatRole role)
    {
        _segments.Add(TextSegment.Token(_start));
        _segments.Add(TextSegment.Plain(role switch
        {
            ChatRole.System => "system\n",
            ChatRole.User => "user\n",
            ChatRole.Assistant => "assistant\n",
            _ => throw new ArgumentOutOfRangeException(nameof(role), role, "Not a role."),
        }));
    }

    private void Content(ChatMessage message)
    {
        foreach (var part in message.Content)
        {
            switch (part)
            {
                case TextPart text:
                    _segments.Add(TextSegment.Plain(text.Text));
                    break;
                case ImagePart:
                    Media(part, _config.VisionStartTokenId, _config.ImageTokenId, _config.VisionEndTokenId);
                    break;
                case VideoPart:
                    Media(part, _config.VisionStartTokenId, _config.VideoTokenId, _config.VisionEndTokenId);
                    break;
                case AudioPart audio when _config.Audio is null:
                    throw new MASQuantException(DiagnosticCodes.UnsupportedModality, audio.Source.Path,
                        $"{audio.Source.Name} is audio, which a {_config.Family} model does not take. Leave it out, or use a Qwen2.5-Omni model.");
                case AudioPart:
                    Media(part, _config.AudioStartTokenId, _config.AudioTokenId, _config.AudioEndTokenId);
                    break;
                default:
                    throw new NotSupportedException($"{part.GetType().Name} has no place in the chat format.");
            }
        }
    }

    private void Media(ContentPart part, int start, int placeholder, int end)
    {
        _segments.AddRange([TextSegment.Token(start), TextSegment.Token(placeholder), TextSegment.Token(end)]);
        _media.Add(part);
    }

    private static int Required(string token, Tokenizer tokenizer) => tokenizer.TryGetAddedToken(token, out var id)
        ? id
        : throw new MASQuantException(DiagnosticCodes.ChatTokenMissing, null,
            $"The tokenizer has no '{token}', which the chat format needs. Use the tokenizer.json of a Qwen2.5-VL or Qwen2.5-Omni checkpoint.");
}
