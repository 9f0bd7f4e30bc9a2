using MASQuant.Diagnostics;
using MASQuant.Engine.Chat;
using MASQuant.Engine.Text;

namespace MASQuant.Engine.Models;

/// <summary>The tokens of a prompt, counted before anything is computed for them, and compared with the model's positions and the limit of a prompt.</summary>
internal sealed class PromptLength
{
    private readonly int _positions;
    private readonly ModelLimits _limits;
    private readonly bool _hasMedia;
    private long _tokens;

    /// <summary>Begins with the tokens of a rendered prompt, in which each placeholder of a medium is one.</summary>
    /// <exception cref="MASQuantException">MASQ0921: they are more than the model's positions, or than the limit.</exception>
    public PromptLength(TokenizedPrompt rendered, int positions, ModelLimits limits)
    {
        (_tokens, _hasMedia, _positions, _limits) = (rendered.Tokens.Length, rendered.Media.Count > 0, positions, limits);
        Require("", null);
    }

    /// <summary>Refuses a text whose characters alone make more tokens than the model has positions, or the limit allows.</summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="thoughts">The first message whose thought is written.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="positions">The model's.</param>
    /// <param name="limits">The prompt's.</param>
    /// <exception cref="MASQuantException">MASQ0921.</exception>
    public static void RequireText(IReadOnlyList<ChatMessage> messages, int thoughts, Tokenizer tokenizer, int positions, ModelLimits limits)
    {
        var texts = messages.SelectMany((message, at) => message.Content.Where(part => at >= thoughts || part is not ThoughtPart)).SelectMany(TextsOf);
        var tokens = texts.Sum(tokenizer.FewestTokens);
        if (tokens > Math.Min(positions, limits.PromptTokens))
        {
            throw TooLong($"The prompt's text has {texts.Sum(text => (long)text.Length)} characters, at least {tokens} tokens", positions, limits, null);
        }
    }

    /// <summary>Adds a medium, whose placeholders have been counted.</summary>
    /// <exception cref="MASQuantException">MASQ0921: the prompt is longer than the model's positions, or than the limit.</exception>
    public void Add(CountedMedium medium)
    {
        _tokens += medium.Tokens - medium.Placeholders;
        Require($", {medium.Tokens} of them here", medium.Name);
    }

    private void Require(string share, string? name)
    {
        if (_tokens > Math.Min(_positions, _limits.PromptTokens))
        {
            throw TooLong($"The prompt has {_tokens} tokens{(_hasMedia ? " or more" : "")}{share}", _positions, _limits, name);
        }
    }

    private static IReadOnlyList<string> TextsOf(ContentPart part) => part switch
    {
        TextPart text => [text.Text],
        ThoughtPart thought => [thought.Text],
        ToolsPart tools => tools.Signatures,
        ToolCallPart call => [call.Name, call.Arguments],
        ToolResultPart result => [result.Text],
        _ => [],
    };

    private static MASQuantException TooLong(string what, int positions, ModelLimits limits, string? name) => new(DiagnosticCodes.SequenceTooLong, name, positions <= limits.PromptTokens
        ? $"{what}; the model has {positions} positions. Shorten the text, or give fewer, smaller or shorter media."
        : $"{what}; the limit is {limits.PromptTokens} (ModelLimits.PromptTokens), the model has {positions} positions. Shorten the text, give fewer, smaller or shorter media, or raise the limit.");
}
