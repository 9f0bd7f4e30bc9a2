using MASQuant.Diagnostics;

namespace MASQuant.Engine.Constraints;

/// <summary>
/// Reads bytes and knows after each whether what came can still become, or is, what an <see cref="Expression"/> allows. States are sets of what may follow
/// (Thompson's construction, made deterministic state by state as texts lead to them) and are made once. For one thread at a time.
/// </summary>
internal sealed class ByteMachine
{
    /// <summary>States beyond these are forgotten and made again: 2 KiB each.</summary>
    private const int MostStates = 10_000;

    /// <summary>Rests beyond these are too: 80 bytes each, and twice as many as the letters of a schema.</summary>
    private const int MostRests = 1 << 19;

    /// <summary>Bytes that may come next, of all that may be read at once: each of them costs time.</summary>
    private const int MostOpen = 1 << 15;

    private readonly Dictionary<(Expression, Rest?), Rest> _rests = [];
    private readonly Dictionary<string, State> _states = new(StringComparer.Ordinal);
    private readonly SortedSet<Rest> _open = new(Comparer<Rest>.Create((a, b) => a.Number.CompareTo(b.Number)));
    private readonly HashSet<Rest> _seen = [];
    private readonly Stack<Rest?> _unopened = [];
    private int _made;
    private bool _isWhole;

    /// <summary>Begins to read what an expression allows.</summary>
    public ByteMachine(Expression expression)
    {
        Expand(Push(expression, null));
        Start = Take()!;
    }

    /// <summary>Before the first byte.</summary>
    public State Start { get; }

    /// <summary>The state behind a further byte; null where none may follow so.</summary>
    public State? Next(State state, byte value)
    {
        if (state.IsKnown(value, out var next))
        {
            return next;
        }

        foreach (var rest in state.Rests)
        {
            if (((ByteExpression)rest.Head).Allows(value))
            {
                Expand(rest.Next);
            }
        }

        next = Take();
        state.Set(value, next);
        return next;
    }

    /// <summary>What lies open, as a state.</summary>
    private State? Take()
    {
        if (_open.Count == 0 && !_isWhole)
        {
            Close();
            return null;
        }

        if (_states.Count >= MostStates || _rests.Count >= MostRests)
        {
            Forget();
        }

        Rest[] rests = [.. _open];
        var key = string.Create(1 + (2 * rests.Length), (rests, _isWhole), static (text, what) =>
        {
            text[0] = what._isWhole ? '1' : '0';
            for (var i = 0; i < what.rests.Length; i++)
            {
                (text[1 + (2 * i)], text[2 + (2 * i)]) = ((char)(what.rests[i].Number >> 16), (char)what.rests[i].Number);
            }
        });
        if (!_states.TryGetValue(key, out var state))
        {
            RequireFew(rests);
            _states.Add(key, state = new State(rests, _isWhole));
        }

        Close();
        return state;
    }

    private void Close()
    {
        _open.Clear();
        _seen.Clear();
        _isWhole = false;
    }

    private void RequireFew(Rest[] rests)
    {
        if (rests.Sum(rest => ((ByteExpression)rest.Head).Count) > MostOpen)
        {
            Close();
            throw new MASQuantException(DiagnosticCodes.AnswerFormatUnsupported, null, $"The schema leaves too much open at once: {rests.Length} alternatives. Give fewer alternatives that begin alike (anyOf).");
        }
    }

    // States lead to states: each lets go of those behind it.
    private void Forget()
    {
        foreach (var state in _states.Values)
        {
            state.Forget();
        }

        _states.Clear();
        _rests.Clear();
    }

    /// <summary>Opens every byte that may come first.</summary>
    private void Expand(Rest? first)
    {
        _unopened.Push(first);
        while (_unopened.TryPop(out var rest))
        {
            if (rest is null)
            {
                _isWhole = true;
            }
            else if (_seen.Add(rest))
            {
                Open(rest);
            }
        }
    }

    private void Open(Rest rest)
    {
        switch (rest.Head)
        {
            case ByteExpression:
                _open.Add(rest);
                break;
            case SequenceExpression sequence:
                var next = rest.Next;
                for (var i = sequence.Parts.Length - 1; i >= 0; i--)
                {
                    next = Push(sequence.Parts[i], next);
                }

                _unopened.Push(next);
                break;
            case ChoiceExpression choice:
                foreach (var part in choice.Parts)
                {
                    _unopened.Push(Push(part, rest.Next));
                }

                break;
            case RepeatExpression repeat:
                if (repeat.Min == 0)
                {
                    _unopened.Push(rest.Next);
                }

                if (repeat.Max > 0)
                {
                    _unopened.Push(Push(repeat.Part, Push(repeat.Rest, rest.Next)));
                }

                break;
        }
    }

    private Rest Push(Expression head, Rest? next)
    {
        if (!_rests.TryGetValue((head, next), out var rest))
        {
            _rests.Add((head, next), rest = new Rest(_made++, head, next));
        }

        return rest;
    }

    /// <summary>What is still to be read.</summary>
    internal sealed record Rest(int Number, Expression Head, Rest? Next)
    {
        public bool Equals(Rest? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => Number;
    }

    /// <summary>Everything that may still be read.</summary>
    internal sealed class State(Rest[] rests, bool isWhole)
    {
        private State?[]? _next;
        private bool[]? _isKnown;

        /// <summary>Each with a byte as its head.</summary>
        public Rest[] Rests => rests;

        /// <summary>Whether what has been read is all that is wanted.</summary>
        public bool IsWhole => isWhole;

        /// <summary>Whether nothing may follow.</summary>
        public bool IsEnd => rests.Length == 0;

        /// <summary>Forgets the states behind it.</summary>
        public void Forget() => (_next, _isKnown) = (null, null);

        public bool IsKnown(byte value, out State? next)
        {
            next = _next?[value];
            return _isKnown?[value] ?? false;
        }

        public void Set(byte value, State? next)
        {
            _next ??= new State?[256];
            _isKnown ??= new bool[256];
            (_next[value], _isKnown[value]) = (next, true);
        }
    }
}
