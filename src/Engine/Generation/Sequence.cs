using System.Runtime.ExceptionServices;

namespace MASQuant.Engine.Generation;

/// <summary>An answer in progress.</summary>
/// <param name="prompt">The number of the prompt that it answers, from 0.</param>
/// <param name="options">Validated; its seed is this answer's own.</param>
/// <param name="stopTokens">Ids that end the answer.</param>
public sealed class Sequence(int prompt, GenerationOptions options, IReadOnlyList<int> stopTokens)
{
    private int _count;

    /// <summary>The number of the prompt that is answered.</summary>
    public int Prompt { get; } = prompt;

    /// <summary>Chooses its tokens.</summary>
    public Sampler Sampler { get; } = new(options);

    /// <summary>The last token.</summary>
    public int Token { get; private set; }

    /// <summary>Why it has ended without its last token; null: it has not failed.</summary>
    public MASQuantException? Error { get; private set; }

    /// <summary>Whether no token follows.</summary>
    public bool HasEnded => Error is not null || _count >= options.MaxTokens || stopTokens.Contains(Token);

    /// <summary>Adds a token.</summary>
    public void Add(int token) => (Token, _count) = (token, _count + 1);

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
    public void Fail(MASQuantException error) => Error = error;

    /// <summary>Throws what it has failed with, if it has.</summary>
    public void ThrowIfFailed()
    {
        if (Error is not null)
        {
            ExceptionDispatchInfo.Throw(Error);
        }
    }
}
