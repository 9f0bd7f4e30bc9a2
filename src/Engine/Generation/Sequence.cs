using System.Runtime.ExceptionServices;
using MASQuant.Engine.Constraints;

namespace MASQuant.Engine.Generation;

/// <summary>An answer in progress.</summary>
/// <param name="prompt">The number of the prompt that it answers, from 0.</param>
/// <param name="options">Validated; its seed is this answer's own.</param>
/// <param name="stopTokens">Ids that end the answer.</param>
/// <param name="grammar">What the answer is held to; null: nothing.</param>
public sealed class Sequence(int prompt, GenerationOptions options, IReadOnlyList<int> stopTokens, TokenGrammar? grammar = null)
{
    private const int GuessedByDefault = 8;

    private int _promptTokens;
    private int _cachedTokens;
    private int _draftedTokens;
    private int _count;

    /// <summary>The number of the prompt that is answered.</summary>
    public int Prompt { get; } = prompt;

    /// <summary>Chooses its tokens.</summary>
    public Sampler Sampler { get; } = new(options, grammar?.Begin(stopTokens));

    /// <summary>Guesses its tokens; null: nothing does.</summary>
    public PromptLookup? Lookup { get; } = (options.DraftTokens ?? (options.Temperature == 0 ? GuessedByDefault : 0)) is > 0 and var most ? new PromptLookup(most) : null;

    /// <summary>The last token.</summary>
    public int Token { get; private set; }

    /// <summary>What it has failed with; null: it has not.</summary>
    public MASQuantException? Error { get; private set; }

    /// <summary>Why no token follows; null: one does.</summary>
    public EndReason? End { get; private set; }

    /// <summary>Whether no token follows.</summary>
    public bool HasEnded => End is not null;

    /// <summary>The tokens of prompt and answer.</summary>
    public AnswerUsage Usage => new(_promptTokens, _count) { CachedTokens = _cachedTokens, DraftedTokens = _draftedTokens };

    /// <summary>How many tokens may follow its last one.</summary>
    public int Left => options.MaxTokens - _count;

    /// <summary>Counts the tokens of its prompt, and those of them whose keys and values were there already.</summary>
    public void Begin(ReadOnlySpan<int> prompt, int cached = 0)
    {
        (_promptTokens, _cachedTokens) = (prompt.Length, cached);
        Sampler.Penalties?.Begin(prompt);
        Lookup?.Begin(prompt);
    }

    /// <summary>Adds a token.</summary>
    public void Add(int token)
    {
        (Token, _count) = (token, _count + 1);
        Lookup?.Add(token);
        End = stopTokens.Contains(token) || Sampler.Constraint is { IsDone: true } ? EndReason.StopToken : _count >= options.MaxTokens ? EndReason.Length : null;
    }

    /// <summary>Counts its last token as one that a guess had right.</summary>
    public void CountDrafted() => _draftedTokens++;

    /// <summary>Ends it behind its last token, unless that has ended it already.</summary>
    public void Fill() => End ??= EndReason.Length;

    /// <summary>Ends it where the text of its tokens holds a stop string.</summary>
    public void Stop() => End = EndReason.StopString;

    /// <summary>Adds the token that its sampler chooses, or fails with it.</summary>
    public void Choose(ReadOnlySpan<float> logits)
    {
        try
        {
            Add(Sampler.Next(logits));
        }
        catch (MASQuantException error)
        {
            Fail(error);
        }
    }

    /// <summary>Adds the token that a device has chosen of <paramref name="count"/>, or fails when its logit is no number.</summary>
    public void Choose(int token, float logit, int count)
    {
        try
        {
            Sampler.RequireFinite(logit, count);
            Add(token);
        }
        catch (MASQuantException error)
        {
            Fail(error);
        }
    }

    /// <summary>Ends it with an error.</summary>
    public void Fail(MASQuantException error) => (Error, End) = (error, EndReason.Failed);

    /// <summary>Throws what it has failed with, if it has.</summary>
    public void ThrowIfFailed()
    {
        if (Error is not null)
        {
            ExceptionDispatchInfo.Throw(Error);
        }
    }
}
