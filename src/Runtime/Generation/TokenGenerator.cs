using MASQuant.Models;

namespace MASQuant.Generation;

/// <summary>The loop of generation: evaluate, choose, until a stop token or the limit.</summary>
internal static class TokenGenerator
{
    /// <summary>The tokens of an answer as they are chosen, the stop token included.</summary>
    /// <param name="session">Used by this enumeration alone, and disposed with it.</param>
    /// <param name="prompt">What is answered.</param>
    /// <param name="options">Validated.</param>
    /// <param name="stopTokens">Ids that end the answer.</param>
    /// <param name="cancellation">Obeyed within a step.</param>
    public static IEnumerable<int> Generate(IDecoderSession session, PreparedPrompt prompt, GenerationOptions options, IReadOnlyList<int> stopTokens, CancellationToken cancellation)
    {
        using var owned = session;
        var sampler = new Sampler(options);
        var id = session.Next(prompt, sampler, cancellation);
        yield return id;
        for (var count = 1; count < options.MaxTokens && !stopTokens.Contains(id); count++)
        {
            id = session.Next(id, sampler, cancellation);
            yield return id;
        }
    }
}
