using MASQuant.Diagnostics;
using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Layers;

/// <summary>What the tokens that a sequence has seen have left in each decoder block: keys and values, which grow by blocks of tokens up to the model's positions, or a state of constant size. For one sequence, on one thread at a time.</summary>
public sealed class KvCache
{
    private const int MostSnapshots = 4;
    private readonly LayerMemory[] _layers;
    private readonly int _maxPositions;
    private readonly List<StateSnapshot> _snapshots = [];
    private int _mark;

    /// <summary>An empty cache.</summary>
    /// <param name="config">The decoder's extents.</param>
    /// <param name="format">How keys and values are kept.</param>
    /// <param name="guesses">Whether something is kept for the head that guesses ahead.</param>
    public KvCache(TextConfig config, KeyValueFormat format = KeyValueFormat.Float32, bool guesses = false)
    {
        Guesses = guesses ? new GuessMemory(config.HiddenSize, format) : null;
        _maxPositions = config.MaxPositions;
        _layers = new LayerMemory[config.Layers];
        for (var i = 0; i < _layers.Length; i++)
        {
            _layers[i] = new LayerMemory(format);
        }
    }

    /// <summary>The number of tokens held.</summary>
    public int Length => _layers[0].Length;

    /// <summary>Where the next text token stands: a medium's positions are not the number of its tokens.</summary>
    internal int NextPosition { get; set; }

    /// <summary>What is left for the head that guesses ahead; null: nothing guesses.</summary>
    internal GuessMemory? Guesses { get; }

    /// <summary>The part of decoder block <paramref name="layer"/>.</summary>
    public LayerMemory this[int layer] => _layers[layer];

    /// <summary>Refuses <paramref name="tokens"/> more tokens when the model has no positions for them.</summary>
    /// <exception cref="MASQuantException">MASQ0921.</exception>
    public void RequireRoom(int tokens) => RequireRoom((long)Length + tokens, _maxPositions);

    /// <summary>What it takes of memory.</summary>
    public long Bytes => _layers.Sum(layer => layer.Bytes) + _snapshots.Sum(snapshot => snapshot.Bytes) + (Guesses?.Bytes ?? 0);

    /// <summary>How many of its first tokens another cache can take: of states there is only the last, and those that were kept.</summary>
    /// <param name="tokens">The most.</param>
    public int Usable(int tokens)
    {
        if (tokens >= Length || Array.TrueForAll(_layers, layer => !layer.HasState))
        {
            return Math.Min(tokens, Length);
        }

        return _snapshots.Where(snapshot => snapshot.Length <= tokens).Select(snapshot => snapshot.Length).DefaultIfEmpty().Max();
    }

    /// <summary>Takes the first <paramref name="length"/> tokens of another cache in place of its own.</summary>
    /// <param name="other">Is not changed.</param>
    /// <param name="length">One that <see cref="Usable"/> has given.</param>
    public void CopyFrom(KvCache other, int length)
    {
        var snapshot = length == other.Length ? null : other._snapshots.Find(snapshot => snapshot.Length == length);
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            _layers[layer].CopyFrom(other._layers[layer], length, snapshot?.States[layer]);
        }

        if (other.Guesses is { } guesses)
        {
            Guesses?.CopyFrom(guesses, length);
        }

        _snapshots.Clear();
        _snapshots.AddRange(other._snapshots.Where(snapshot => snapshot.Length <= length));
    }

    /// <summary>Keeps the states as they are, so that other caches can begin behind the tokens held.</summary>
    public void KeepStates()
    {
        if (Length == 0 || _snapshots.Exists(snapshot => snapshot.Length == Length) || Array.TrueForAll(_layers, layer => !layer.HasState))
        {
            return;
        }

        // The first is what most prompts share.
        if (_snapshots.Count == MostSnapshots)
        {
            _snapshots.RemoveAt(1);
        }

        _snapshots.Add(new StateSnapshot(Length, [.. _layers.Select(layer => layer.CopyStates())]));
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    /// <param name="length">Where there are states: 0, that before the last pass, or, if <see cref="KeepsPasses"/> was set, one within that pass.</param>
    public void Truncate(int length)
    {
        foreach (var layer in _layers)
        {
            layer.Truncate(length);
        }

        Guesses?.Truncate(length);
        for (var i = _snapshots.Count - 1; i >= 0; i--)
        {
            if (_snapshots[i].Length > length)
            {
                _snapshots.RemoveAt(i);
            }
        }
    }

    /// <summary>Whether what enters the states in a pass is kept, so that its tokens can be forgotten from any of them on.</summary>
    internal bool KeepsPasses
    {
        get => _layers[0].KeepsPasses;
        set
        {
            foreach (var layer in _layers)
            {
                layer.KeepsPasses = value;
            }
        }
    }

    /// <summary>Remembers the length for <see cref="Restore"/>.</summary>
    internal void Mark() => _mark = Length;

    /// <summary>Forgets the tokens since <see cref="Mark"/>.</summary>
    internal void Restore() => Truncate(_mark);

    public static void RequireRoom(long length, int maxPositions)
    {
        if (length > maxPositions)
        {
            throw new MASQuantException(DiagnosticCodes.SequenceTooLong, null,
                $"The sequence needs {length} positions; the model has {maxPositions}. Shorten the prompt or generate fewer tokens.");
        }
    }

    /// <summary>The states of all blocks behind so many tokens.</summary>
    private sealed record StateSnapshot(int Length, float[][] States)
    {
        public long Bytes { get; } = States.Sum(state => state.LongLength * sizeof(float));
    }
}
