using System.Runtime.InteropServices;

namespace MASQuant.Engine.Generation;

/// <summary>
/// Guesses the tokens of an answer that repeats its prompt or itself: those behind the last place where its last three tokens stood before (prompt lookup: Yang et al., 2023,
/// "Inference with reference"; Saxena, 2023). Guesses that come true lengthen the next ones; those that mostly do not shorten and delay them. For one sequence.
/// </summary>
public sealed class PromptLookup
{
    private const int FirstLength = 4;
    private const int LongestPause = 64;

    private readonly int _most;
    private readonly List<int> _tokens = [];

    // Where the token behind three others stood last.
    private readonly Dictionary<(int, int, int), int> _behind = [];
    private int _length;
    private int _pause;
    private int _nextPause = 1;

    /// <param name="most">The most tokens of a guess; at least 1.</param>
    public PromptLookup(int most) => (_most, _length) = (most, Math.Min(FirstLength, most));

    /// <summary>Adds the tokens of the prompt.</summary>
    public void Begin(ReadOnlySpan<int> prompt)
    {
        _tokens.EnsureCapacity(prompt.Length);
        foreach (var token in prompt)
        {
            Add(token);
        }
    }

    /// <summary>Adds a token.</summary>
    public void Add(int token)
    {
        if (Last() is { } last)
        {
            _behind[last] = _tokens.Count;
        }

        _tokens.Add(token);
    }

    /// <summary>Guesses what follows; empty where nothing tells.</summary>
    /// <param name="most">The most tokens.</param>
    public ReadOnlySpan<int> Guess(int most)
    {
        if (_pause > 0)
        {
            _pause--;
            return [];
        }

        return Last() is { } last && _behind.TryGetValue(last, out var start)
            ? CollectionsMarshal.AsSpan(_tokens).Slice(start, Math.Clamp(Math.Min(most, _length), 0, _tokens.Count - start))
            : [];
    }

    /// <summary>Learns how many tokens of a guess, from its first on, have come true. A pass over a guess takes as long as one over half of it or less (<c>docs/performance.md</c>): that half must come true.</summary>
    public void Learn(int guessed, int right)
    {
        var wins = 2 * right >= guessed;
        _length = Math.Min(wins ? 2 * _length : FirstLength, _most);
        _pause = wins ? 0 : _nextPause;
        _nextPause = wins ? 1 : Math.Min(2 * _nextPause, LongestPause);
    }

    private (int, int, int)? Last() => _tokens.Count < 3 ? null : (_tokens[^3], _tokens[^2], _tokens[^1]);
}
