using MASQuant.Engine.Text;

namespace MASQuant.Engine.Constraints;

/// <summary>The texts of a vocabulary in the order of their bytes, so that what one shares with the one before is read once. Immutable.</summary>
internal sealed class TokenTable
{
    private readonly Tokenizer _tokenizer;
    private readonly int[] _ids;
    private readonly int[] _shared;

    /// <summary>The tokens of a tokenizer that are text: none that the model's files add, but for marks.</summary>
    public TokenTable(Tokenizer tokenizer, params IReadOnlyList<string> marks)
    {
        _tokenizer = tokenizer;
        IdBound = tokenizer.IdBound;
        int[] marked = [.. marks.SelectMany(mark => tokenizer.TryGetAddedToken(mark, out var id) ? (int[])[id] : [])];
        _ids = [.. Enumerable.Range(0, IdBound).Where(id => !tokenizer.Bytes(id).IsEmpty && (!tokenizer.IsAdded(id) || marked.Contains(id)))];
        Array.Sort(_ids, (a, b) => tokenizer.Bytes(a).SequenceCompareTo(tokenizer.Bytes(b)));
        _shared = new int[_ids.Length];
        for (var i = 1; i < _ids.Length; i++)
        {
            _shared[i] = tokenizer.Bytes(_ids[i - 1]).CommonPrefixLength(tokenizer.Bytes(_ids[i]));
        }
    }

    /// <summary>One more than the largest id.</summary>
    public int IdBound { get; }

    /// <summary>The bytes of a token.</summary>
    public ReadOnlySpan<byte> Bytes(int id) => _tokenizer.Bytes(id);

    /// <summary>Finds the tokens whose bytes may follow a state: bit i of the result is token i.</summary>
    public ulong[] Allowed(ByteMachine machine, ByteMachine.State state)
    {
        var allowed = new ulong[(IdBound + 63) / 64];

        // The states behind each byte of the token before; from `dead` on there are none.
        var states = new List<ByteMachine.State> { state };
        var dead = int.MaxValue;
        for (var i = 0; i < _ids.Length; i++)
        {
            if (_shared[i] >= dead)
            {
                continue;
            }

            dead = int.MaxValue;
            var bytes = _tokenizer.Bytes(_ids[i]);
            states.RemoveRange(_shared[i] + 1, states.Count - _shared[i] - 1);
            for (var at = _shared[i]; at < bytes.Length; at++)
            {
                if (machine.Next(states[^1], bytes[at]) is not { } next)
                {
                    dead = at + 1;
                    break;
                }

                states.Add(next);
            }

            if (dead == int.MaxValue)
            {
                allowed[_ids[i] >> 6] |= 1ul << _ids[i];
            }
        }

        return allowed;
    }
}
