namespace MASQuant.Engine.Constraints;

/// <summary>What an answer may be, token by token. What was found for one answer serves the next; threads may share it.</summary>
public sealed class TokenGrammar
{
    /// <summary>Masks beyond these are forgotten and made again: a bit for each token of the vocabulary.</summary>
    private const int MostMasks = 256;

    private readonly ByteMachine _machine;
    private readonly TokenTable _tokens;
    private readonly Dictionary<ByteMachine.State, ulong[]> _masks;
    private readonly TokenGrammar? _first;

    /// <param name="expression">The texts.</param>
    /// <param name="tokens">The model's.</param>
    internal TokenGrammar(Expression expression, TokenTable tokens) => (_machine, _tokens, _masks) = (new ByteMachine(expression), tokens, []);

    private TokenGrammar(TokenGrammar own, TokenGrammar first) => (_machine, _tokens, _masks, _first) = (own._machine, own._tokens, own._masks, first);

    /// <summary>Begins an answer.</summary>
    /// <param name="stopTokens">Ids that end it, once it is whole.</param>
    public TokenConstraint Begin(IReadOnlyList<int> stopTokens) => _first is null ? new(this, null, stopTokens) : new(_first, this, stopTokens);

    /// <summary>This, behind a text of another grammar that no token shares with it; what was found is shared.</summary>
    /// <param name="first">Of texts behind which nothing may follow.</param>
    internal TokenGrammar Behind(TokenGrammar first) => new(this, first);

    /// <summary>Before the first token.</summary>
    internal ByteMachine.State Start => _machine.Start;

    /// <summary>The tokens that may follow: bit i is token i.</summary>
    internal ulong[] Allowed(ByteMachine.State state)
    {
        lock (_masks)
        {
            if (!_masks.TryGetValue(state, out var mask))
            {
                if (_masks.Count >= MostMasks)
                {
                    _masks.Clear();
                }

                _masks.Add(state, mask = _tokens.Allowed(_machine, state));
            }

            return mask;
        }
    }

    /// <summary>The state behind a token that may follow.</summary>
    /// <exception cref="InvalidOperationException">It may not.</exception>
    internal ByteMachine.State Next(ByteMachine.State state, int token)
    {
        lock (_masks)
        {
            foreach (var value in _tokens.Bytes(token))
            {
                state = _machine.Next(state, value) ?? throw new InvalidOperationException($"Token {token} may not follow.");
            }

            return state;
        }
    }
}
