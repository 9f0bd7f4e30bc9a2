namespace MASQuant.Engine.Layers;

/// <summary>The keys and values of one decoder block. Keys lie transposed, [d, capacity] per head, so that the scores of a decode step stream them; values lie [capacity, d].</summary>
public sealed class KvCacheLayer
{
    private const int FirstCapacity = 64;
    private readonly int _heads;
    private readonly int _headSize;
    private float[] _keys = [];
    private float[] _values = [];

    internal KvCacheLayer(int heads, int headSize) => (_heads, _headSize) = (heads, headSize);

    /// <summary>The number of tokens held.</summary>
    public int Length { get; private set; }

    /// <summary>The number of tokens that fit without growing: the stride of a key row.</summary>
    internal int Capacity { get; private set; }

    /// <summary>The keys of a head, [d, <see cref="Capacity"/>], of which <see cref="Length"/> columns count.</summary>
    internal ReadOnlySpan<float> Keys(int head) => _keys.AsSpan(head * _headSize * Capacity, _headSize * Capacity);

    /// <summary>The values of a head, [<see cref="Length"/>, d].</summary>
    internal ReadOnlySpan<float> Values(int head) => _values.AsSpan(head * _headSize * Capacity, _headSize * Length);

    /// <summary>Adds <paramref name="count"/> rows of <paramref name="keys"/> and <paramref name="values"/>, both [T, heads × d], from <paramref name="first"/> on.</summary>
    internal void Append(Matrix keys, Matrix values, int first, int count)
    {
        Reserve(checked(Length + count));
        for (var t = 0; t < count; t++)
        {
            var key = keys.Row(first + t);
            var value = values.Row(first + t);
            var column = Length + t;
            for (var i = 0; i < key.Length; i++)
            {
                _keys[(i * Capacity) + column] = key[i];
            }

            for (var head = 0; head < _heads; head++)
            {
                value.Slice(head * _headSize, _headSize).CopyTo(_values.AsSpan(((head * Capacity) + column) * _headSize));
            }
        }

        Length += count;
    }

    internal bool Fits(int heads, int headSize) => (heads, headSize) == (_heads, _headSize);

    internal KvCacheLayer NewLike() => new(_heads, _headSize);

    internal long Bytes => (_keys.LongLength + _values.LongLength) * sizeof(float);

    /// <summary>Takes the first <paramref name="length"/> tokens of another in place of its own.</summary>
    internal void CopyFrom(KvCacheLayer other, int length)
    {
        Length = 0;
        Reserve(length);
        for (var row = 0; row < _heads * _headSize; row++)
        {
            other._keys.AsSpan(row * other.Capacity, length).CopyTo(_keys.AsSpan(row * Capacity));
        }

        for (var head = 0; head < _heads; head++)
        {
            other.Values(head)[..(length * _headSize)].CopyTo(_values.AsSpan(head * Capacity * _headSize));
        }

        Length = length;
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    internal void Truncate(int length) => Length = Math.Min(Length, length);

    private void Reserve(int length)
    {
        if (length <= Capacity)
        {
            return;
        }

        var capacity = Math.Max(length, Math.Max(FirstCapacity, checked(2 * Capacity)));
        var size = checked(_heads * _headSize * capacity);
        var (keys, values) = (LargeArray.Zeros<float>(size), LargeArray.Zeros<float>(size));
        for (var row = 0; row < _heads * _headSize; row++)
        {
            _keys.AsSpan(row * Capacity, Length).CopyTo(keys.AsSpan(row * capacity));
        }

        for (var head = 0; head < _heads; head++)
        {
            Values(head).CopyTo(values.AsSpan(head * capacity * _headSize));
        }

        (_keys, _values, Capacity) = (keys, values, capacity);
    }
}
