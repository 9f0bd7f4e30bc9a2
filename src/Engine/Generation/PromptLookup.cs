using System.Runtime.InteropServices;

namespace MASQuant.Engine.Generation;

/// <summary>
/// Guesses the tokens of an answer that repeats its prompt or itself: those behind the last place where its last three tokens stood before (prompt lookup: Yang et al., 2023,
/// "Inference with reference"; Saxena, 2023). Guesses that come true lengthen the next ones; those that mostly do not shorten and delay them. For one sequence.
/// </summary>
public sealed class PromptLookup : IGuesser
{
    private const int Known = 3;
    private const int FirstLength = 4;
    private const int LongestPause = 64;

    private readonly int _most;
    private readonly List<int> _tokens = [];

    // Where the token behind three others stood last, of the tokens that have been looked at: on a device, or beside other answers, nothing is guessed.
    private readonly Dictionary<(int, int, int), int> _behind = [];
    private int _seen = Known;
    private int _length;
    private int _pause;
    private int _nextPause = 1;

    /// <param name="most">The most tokens of a guess; at least 1.</param>
    public PromptLookup(int most) => (_most, _length) = (most, Math.Min(FirstLength, most));

    /// <summary>The most tokens of a guess.</summary>
    public int Most => _most;

    /// <summary>Adds the tokens of the prompt.</summary>
    public void Begin(ReadOnlySpan<int> prompt) => _tokens.AddRange(prompt);

    /// <summary>Adds a token.</summary>
    public void Add(int token) => _tokens.Add(token);

    /// <summary>Guesses what follows; empty where nothing tells.</summary>
    /// <param name="most">The most tokens.</param>
    public ReadOnlySpan<int> Guess(int most)
    {
        if (_pause > 0)
        {
            _pause--;
            return [];
        }

        for (; _seen < _tokens.Count; _seen++)
        {
            _behind[Before(_seen)] = _seen;
        }

        return _tokens.Count >= Known && _behind.TryGetValue(Before(_tokens.Count), out var start)
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

    private (int, int, int) Before(int place) => (_tokens[place - 3], _tokens[place - 2], _tokens[place - 1]);
}
