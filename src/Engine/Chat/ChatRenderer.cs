using MASQuant.Diagnostics;
using MASQuant.Engine.Text;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Chat;

/// <summary>Writes conversations as a family's <see cref="ChatFormat"/> says.</summary>
public sealed class ChatRenderer
{
    private readonly ModelConfig _config;
    private readonly ToolWriter _tools;
    private readonly int _start;
    private readonly int _end;
    private readonly ThoughtFormat? _thought;
    private readonly List<TextSegment> _segments = [];
    private readonly List<ContentPart> _media = [];

    private ChatRenderer(ModelConfig config, Tokenizer tokenizer)
    {
        _config = config;
        _tools = new ToolWriter(config.Family.Chat, tokenizer);
        _start = Required(config.Family.Chat.TurnStart, tokenizer);
        _end = Required(config.Family.Chat.TurnEnd, tokenizer);
        _thought = ThoughtOf(config, tokenizer);
    }

    /// <summary>How a model's thoughts are written; null where its family has none, or its tokenizer not both of their marks.</summary>
    public static ThoughtFormat? ThoughtOf(ModelConfig config, Tokenizer tokenizer)
        => config.Family.Chat.Thought is { } thought && thought.Marks.All(mark => tokenizer.TryGetAddedToken(mark, out _)) ? thought : null;

    /// <summary>How the thoughts of a model that is to think are written.</summary>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.ThoughtUnsupported"/></exception>
    public static ThoughtFormat RequireThought(ModelConfig config, Tokenizer tokenizer) => ThoughtOf(config, tokenizer) ?? throw new MASQuantException(DiagnosticCodes.ThoughtUnsupported, null, config.Family.Chat.Thought is { } thought
        ? $"The model is to think before it answers, and its tokenizer has no tokens {string.Join(" and ", thought.Marks)}. Use the tokenizer.json of a {config.Family.DisplayName} checkpoint, or ask it without thought."
        : $"The model is to think before it answers, and {config.Family.DisplayName} models do not. Ask it without thought, or use a {ModelFamilies.Known.Names("or", family => family.Chat.Thought is not null)} model.");

    /// <summary>Refuses a tokenizer without the tokens of the family's turns.</summary>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.ChatTokenMissing"/></exception>
    public static void RequireTokens(ModelConfig config, Tokenizer tokenizer) => _ = new ChatRenderer(config, tokenizer);

    /// <summary>
    /// Renders a conversation. After a message of the user, the assistant's turn is left open for generation; a last message of the assistant is
    /// closed and reported as the answer, whose tokens are those that generation would give: text is not merged across its beginning.
    /// </summary>
    /// <param name="messages">At least one message.</param>
    /// <param name="config">Gives the family, and the tokens around and in place of media.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="thinks">Whether the block of thought before the answer stays open, for generation to end it.</param>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.ChatTokenMissing"/>, <see cref="DiagnosticCodes.UnsupportedModality"/> or <see cref="DiagnosticCodes.ThoughtUnsupported"/></exception>
    public static TokenizedPrompt Render(IReadOnlyList<ChatMessage> messages, ModelConfig config, Tokenizer tokenizer, bool thinks = false)
    {
        if (messages.Count == 0)
        {
            throw new ArgumentException("A prompt needs at least one message.", nameof(messages));
        }

        var renderer = new ChatRenderer(config, tokenizer);
        var answer = messages[^1] is { Role: ChatRole.Assistant } last ? last : null;
        if (thinks)
        {
            _ = answer is null ? RequireThought(config, tokenizer) : throw new MASQuantException(DiagnosticCodes.ThoughtUnsupported, null, "The model is to think before it answers, and the conversation ends with an answer. Let the user's message be the last, or ask without thought.");
        }

        ChatMessage[] turns = [.. WithInstructions(answer is null ? messages : messages.SkipLast(1), config.Family.Chat.DefaultSystem)];
        var question = LastQuestion(turns);
        for (var turn = 0; turn < turns.Length; turn++)
        {
            renderer.Message(turns[turn], answersLast: turn > question);
        }

        renderer.Open(ChatRole.Assistant);
        var (thought, said) = renderer.Parted(answer?.Content ?? []);
        renderer.BeginThought();
        if (thought.Length == 0 && !thinks)
        {
            renderer.EndThought("");
        }

        var tokens = tokenizer.EncodeSegments(renderer._segments);
        if (answer is null)
        {
            return new TokenizedPrompt([.. tokens], renderer._media, null) { Thinks = thinks };
        }

        var begin = tokens.Count;
        renderer._segments.Clear();
        if (thought.Length > 0)
        {
            renderer.EndThought(thought);
        }

        renderer.Content(answer with { Content = said });
        renderer._segments.Add(TextSegment.Token(renderer._end));
        tokens.AddRange(tokenizer.EncodeSegments(renderer._segments));
        var end = tokens.Count;
        tokens.AddRange(tokenizer.EncodeSegments([TextSegment.Plain("\n")]));
        return new TokenizedPrompt([.. tokens], renderer._media, new Range(Index.FromEnd(tokens.Count - begin), Index.FromEnd(tokens.Count - end)));
    }

    // The family's own instructions where a conversation has none, functions or not.
    private static IEnumerable<ChatMessage> WithInstructions(IEnumerable<ChatMessage> messages, string? instructions)
    {
        ChatMessage[] all = [.. messages];
        return (instructions, all) switch
        {
            (null, _) => all,
            (_, [{ Role: ChatRole.System } first, ..]) => first.Content.Any(part => part is TextPart) ? all : [first with { Content = [new TextPart(instructions), .. first.Content] }, .. all[1..]],
            _ => [new ChatMessage(ChatRole.System, instructions), .. all],
        };
    }

    // What was thought before earlier questions' answers is left out.
    private void Message(ChatMessage message, bool answersLast)
    {
        Open(message.Role);
        if (message.Role == ChatRole.Assistant)
        {
            var (thought, said) = Parted(message.Content);
            if (answersLast)
            {
                BeginThought();
                EndThought(thought);
            }

            message = message with { Content = said };
        }

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

    /// <summary>The number of the first message whose thought is written; that of none where a model has no thoughts.</summary>
    internal static int FirstThought(IReadOnlyList<ChatMessage> messages, ModelConfig config, Tokenizer tokenizer) => ThoughtOf(config, tokenizer) is null ? messages.Count : LastQuestion(messages) + 1;

    // Of the user's messages the last that is no function's result; −1: there is none.
    private static int LastQuestion(IReadOnlyList<ChatMessage> messages)
        => Enumerable.Range(0, messages.Count).LastOrDefault(at => messages[at].Role == ChatRole.User && !messages[at].Content.Any(part => part is ToolResultPart), -1);

    // A thought that stands beside its answer, or at the beginning of the answer's text.
    private Thought Parted(IReadOnlyList<ContentPart> content)
    {
        ContentPart[] said = [.. content.Where(part => part is not ThoughtPart)];
        return _thought is null ? new Thought("", said)
            : content.OfType<ThoughtPart>().FirstOrDefault() is { } thought ? new Thought(thought.Text.Trim(), said)
            : Thought.Of(said, _thought);
    }

    private void BeginThought()
    {
        if (_thought is not null)
        {
            _segments.AddRange(_tools.Spoken(_thought.Start + "\n"));
        }
    }

    private void EndThought(string thought)
    {
        if (_thought is not null)
        {
            _segments.AddRange(_tools.Spoken($"{thought}\n{_thought.End}\n\n"));
        }
    }

    private void Content(ChatMessage message)
    {
        var called = false;

        // Whether something that is written precedes a part in its message.
        var follows = false;
        foreach (var part in MessageContent.Of(message.Content, _config.Family.Chat))
        {
            switch (part)
            {
                case TextPart text when message.Role == ChatRole.User:
                    _segments.Add(TextSegment.Plain(text.Text));
                    break;
                case TextPart text:
                    _segments.AddRange(_tools.Spoken(text.Text));
                    follows |= message.Role == ChatRole.System || text.Text.Length > 0;
                    break;
                case ToolsPart tools:
                    _segments.AddRange(_tools.Signatures(tools, follows));
                    break;
                case ToolCallPart call:
                    _segments.AddRange(_tools.Call(call, follows, called));
                    follows = called = true;
                    break;
                case ToolResultPart result:
                    _segments.AddRange(_tools.Result(result, follows));
                    follows = true;
                    break;
                case AudioPart audio when !_config.Modalities.Contains(Modality.Audio):
                    throw new MASQuantException(DiagnosticCodes.UnsupportedModality, audio.Source.Path,
                        $"{audio.Source.Name} is audio, which a {_config.Family.DisplayName} model does not take. Leave it out, or use a {ModelFamilies.Known.Names("or", Modality.Audio)} model.");
                case VideoPart { Sound: { } sound } when !_config.Family.HearsVideos:
                    throw new MASQuantException(DiagnosticCodes.UnsupportedModality, sound.Path,
                        $"{sound.Name} is a video's sound, which a {_config.Family.DisplayName} model does not take. Give the video without it, or use a {ModelFamilies.Known.Names("or", family => family.HearsVideos)} model.");
                default:
                    _segments.AddRange(_config.Family.Write(part, _config));
                    _media.Add(part);
                    break;
            }
        }
    }

    private int Required(string token, Tokenizer tokenizer) => tokenizer.TryGetAddedToken(token, out var id)
        ? id
        : throw new MASQuantException(DiagnosticCodes.ChatTokenMissing, null,
            $"The tokenizer has no '{token}', which the chat format needs. Use the tokenizer.json of a {_config.Family.DisplayName} checkpoint.");
}
