namespace MASQuant.Engine.Text;

/// <summary>The byte strings of a vocabulary, all in one array, and their ids.</summary>
internal sealed class Vocabulary
{
    /// <summary>Ids are below this; the largest vocabularies in use have a quarter of it.</summary>
    public const int MaxId = 1 << 20;

    private readonly int[] _slots;
    private byte[] _bytes;
    private int[] _starts = [];
    private int[] _lengths = [];
    private int _used;

    /// <summary>Takes over the vocabulary's entries.</summary>
    /// <param name="bytes">All byte strings.</param>
    /// <param name="entries">The id, start and length of each.</param>
    /// <exception cref="FormatException">Two entries share an id or a byte string, or an id is out of range.</exception>
    public Vocabulary(byte[] bytes, List<(int Id, int Start, int Length)> entries)
    {
        _bytes = bytes;
        _used = bytes.Length;
        _slots = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(2 * entries.Count) + 1)];
        foreach (var (id, start, length) in entries)
        {
            Place(id, start, length);
            ref var slot = ref Slot(bytes.AsSpan(start, length));
            if (slot != 0)
            {
                throw new FormatException($"tokens {slot - 1} and {id} of the vocabulary are the same");
            }

            slot = id + 1;
        }
    }

    /// <summary>One more than the largest id.</summary>
    public int IdBound { get; private set; }

    /// <summary>The number of tokens, added ones included.</summary>
    public int Count { get; private set; }

    /// <summary>The most bytes that a token stands for.</summary>
    public int LongestToken { get; private set; }

    /// <summary>The bytes of a token; empty when no token has the id.</summary>
    public ReadOnlySpan<byte> Bytes(int id) => (uint)id < (uint)IdBound ? _bytes.AsSpan(_starts[id], _lengths[id]) : default;

    /// <summary>The id of a byte string of the model's vocabulary, or −1.</summary>
    public int Find(ReadOnlySpan<byte> bytes) => Slot(bytes) - 1;

    /// <summary>Gives an added token its bytes; merges never make it.</summary>
    /// <exception cref="FormatException">The id is out of range or another token's.</exception>
    public void Add(int id, ReadOnlySpan<byte> bytes)
    {
        if (!Bytes(id).IsEmpty && Bytes(id).SequenceEqual(bytes))
        {
            return;
        }

        if (_bytes.Length - _used < bytes.Length)
        {
            Array.Resize(ref _bytes, _used + Math.Max(bytes.Length, 1024));
        }

        bytes.CopyTo(_bytes.AsSpan(_used));
        Place(id, _used, bytes.Length);
        _used += bytes.Length;
    }

    private void Place(int id, int start, int length)
    {
        if (id is < 0 or >= MaxId)
        {
            throw new FormatException($"token id {id} is not in 0 … {MaxId - 1}");
        }

        if (length == 0)
        {
            throw new FormatException($"token {id} is empty");
        }

        if (id >= _starts.Length)
        {
            var capacity = Math.Max(id + 64, Math.Min(2 * _starts.Length, MaxId));
            Array.Resize(ref _starts, capacity);
            Array.Resize(ref _lengths, capacity);
        }

        if (_lengths[id] != 0)
        {
            throw new FormatException($"two tokens have the id {id}");
        }

        (_starts[id], _lengths[id]) = (start, length);
        IdBound = Math.Max(IdBound, id + 1);
        LongestToken = Math.Max(LongestToken, length);
        Count++;
    }

    // Open addressing: the slot of the byte string, or the free one where it belongs. A slot holds an id plus one.
    private ref int Slot(ReadOnlySpan<byte> bytes)
    {
        var hash = default(HashCode);
        hash.AddBytes(bytes);
        var at = hash.ToHashCode() & (_slots.Length - 1);
        while (_slots[at] != 0 && !Bytes(_slots[at] - 1).SequenceEqual(bytes))
        {
            at = (at + 1) & (_slots.Length - 1);
        }

        return ref _slots[at];
    }
}
