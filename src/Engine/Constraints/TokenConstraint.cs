namespace MASQuant.Engine.Constraints;

/// <summary>Holds one answer to its grammar: takes away the logits of tokens that may not follow. For one sequence.</summary>
public sealed class TokenConstraint
{
    private readonly IReadOnlyList<int> _stopTokens;
    private TokenGrammar _grammar;
    private TokenGrammar? _next;
    private ByteMachine.State _state;
    private float[] _logits = [];

    /// <param name="grammar">Of what comes first.</param>
    /// <param name="next">Of what follows once that has ended; null: nothing does.</param>
    /// <param name="stopTokens">Ids that end the answer, once it is whole.</param>
    internal TokenConstraint(TokenGrammar grammar, TokenGrammar? next, IReadOnlyList<int> stopTokens) => (_grammar, _next, _stopTokens, _state) = (grammar, next, stopTokens, grammar.Start);

    /// <summary>Whether the answer is whole and nothing may follow.</summary>
    public bool IsDone => _state is { IsWhole: true, IsEnd: true };

    /// <summary>Logits of which those that may not follow are −∞, valid until the next call.</summary>
    /// <param name="logits">[V].</param>
    public ReadOnlySpan<float> Apply(ReadOnlySpan<float> logits)
    {
        if (_logits.Length < logits.Length)
        {
            _logits = new float[logits.Length];
        }

        var result = _logits.AsSpan(0, logits.Length);
        result.Fill(float.NegativeInfinity);
        var allowed = _grammar.Allowed(_state);
        for (var word = 0; word < allowed.Length; word++)
        {
            for (var bits = allowed[word]; bits != 0; bits &= bits - 1)
            {
                var id = (word << 6) + System.Numerics.BitOperations.TrailingZeroCount(bits);
                if (id < logits.Length)
                {
                    result[id] = logits[id];
                }
            }
        }

        for (var i = 0; _state.IsWhole && i < _stopTokens.Count; i++)
        {
            if (_stopTokens[i] < logits.Length)
            {
                result[_stopTokens[i]] = logits[_stopTokens[i]];
            }
        }

        return result;
    }

    /// <summary>Goes on behind a token.</summary>
    public void Add(int token)
    {
        if (!(_state.IsWhole && _stopTokens.Contains(token)))
        {
            _state = _grammar.Next(_state, token);
        }

        if (_next is not null && IsDone)
        {
            (_grammar, _state, _next) = (_next, _next.Start, null);
        }
    }
}
