namespace MASQuant.Engine.Generation;

/// <summary>Guessed tokens that a sequence's cache holds already, with the logits before and behind each: where the sequence chooses a guess, what follows it needs no pass.</summary>
internal sealed class DraftedTokens
{
    private readonly List<int> _tokens = [];
    private Matrix _logits = new(0, 0);
    private IGuesser? _guesser;
    private int _right;

    /// <summary>How many of them the sequence has not chosen.</summary>
    public int Open => _tokens.Count - _right;

    /// <summary>Takes guesses that have been evaluated together with the token before them.</summary>
    /// <param name="guess">G tokens.</param>
    /// <param name="logits">[1 + G, V], behind that token and behind each guess.</param>
    /// <param name="guesser">Who guessed.</param>
    public void Begin(ReadOnlySpan<int> guess, Matrix logits, IGuesser guesser)
    {
        _guesser = guesser;
        _tokens.AddRange(guess);
        _logits = logits;
    }

    /// <summary>The logits behind a token that was chosen, if it is the next guess.</summary>
    public bool TryTake(int token, out ReadOnlySpan<float> logits)
    {
        if (Open == 0 || _tokens[_right] != token)
        {
            logits = default;
            return false;
        }

        _right++;
        logits = _logits.Row(_right);
        return true;
    }

    /// <summary>Forgets them, and tells who guessed how many were right, unless the sequence has ended among them.</summary>
    /// <returns>How many the cache must forget.</returns>
    public int End(bool goesOn)
    {
        var wrong = Open;
        if (_tokens.Count > 0 && goesOn)
        {
            _guesser?.Learn(_tokens.Count, _right);
        }

        _tokens.Clear();
        _right = 0;
        return wrong;
    }
}
