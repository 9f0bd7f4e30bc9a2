using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Layers;

/// <summary>The keys and values of one decoder block, in blocks of <see cref="BlockKeys"/> tokens. In a block each head has its keys as panels [d, 32], one lane a token, then its values as panels [<see cref="BlockKeys"/>, 32], one lane a column: what the kernels of attention read.</summary>
public sealed unsafe class KvCacheLayer
{
    /// <summary>Tokens of a block.</summary>
    internal const int BlockKeys = 128;

    private const int PanelKeys = PanelSource.PanelOutputs;
    private readonly int _heads;
    private readonly ushort[] _rounded;
    private readonly List<AlignedBuffer<byte>> _blocks = [];

    internal KvCacheLayer(int heads, int headSize, KeyValueFormat format = KeyValueFormat.Float32)
        => (_heads, HeadSize, _rounded, IsBFloat16) = (heads, headSize, new ushort[headSize], format == KeyValueFormat.BFloat16);

    /// <summary>The number of tokens held.</summary>
    public int Length { get; private set; }

    /// <summary>d.</summary>
    internal int HeadSize { get; }

    /// <summary>Whether keys and values are BF16 rather than FP32.</summary>
    internal bool IsBFloat16 { get; }

    /// <summary>Panels of a head's values: d / 32, rounded up.</summary>
    internal int ValuePanels => (HeadSize + PanelKeys - 1) / PanelKeys;

    /// <summary>What it takes of memory.</summary>
    internal long Bytes => _blocks.Count * BlockBytes;

    private int ValueBytes => IsBFloat16 ? sizeof(ushort) : sizeof(float);

    private long HeadValues => (long)BlockKeys * (HeadSize + (ValuePanels * PanelKeys));

    private long BlockBytes => _heads * HeadValues * ValueBytes;

    /// <summary>A panel of a head's keys, [d, 32].</summary>
    internal byte* Keys(int block, int head, int panel) => At(block, (head * HeadValues) + ((long)panel * HeadSize * PanelKeys));

    /// <summary>A panel of a head's values, [<see cref="BlockKeys"/>, 32].</summary>
    internal byte* Values(int block, int head, int panel) => At(block, (head * HeadValues) + (BlockKeys * (HeadSize + ((long)panel * PanelKeys))));

    /// <summary>Adds <paramref name="count"/> rows of <paramref name="keys"/> and <paramref name="values"/>, of which the heads' columns begin at <paramref name="column"/>.</summary>
    internal void Append(Matrix keys, Matrix values, int first, int count, int column = 0)
    {
        Reserve(checked(Length + count));
        fixed (float* key = keys.Data, value = values.Data)
        {
            for (var end = first + count; first < end;)
            {
                var rows = Math.Min(PanelKeys - (Length % PanelKeys), end - first);
                for (var head = 0; head < _heads; head++)
                {
                    var start = column + (head * HeadSize);
                    AddRows(head, key + ((nint)first * keys.Columns) + start, keys.Columns, value + ((nint)first * values.Columns) + start, values.Columns, rows);
                }

                (first, Length) = (first + rows, Length + rows);
            }
        }
    }

    internal bool Fits(int heads, int headSize) => (heads, headSize) == (_heads, HeadSize);

    internal KvCacheLayer NewLike() => new(_heads, HeadSize, IsBFloat16 ? KeyValueFormat.BFloat16 : KeyValueFormat.Float32);

    /// <summary>Takes the first <paramref name="length"/> tokens of another in place of its own.</summary>
    internal void CopyFrom(KvCacheLayer other, int length)
    {
        Length = 0;
        Reserve(length);
        for (var block = 0; block * BlockKeys < length; block++)
        {
            new ReadOnlySpan<byte>(other._blocks[block].Pointer, (int)BlockBytes).CopyTo(new Span<byte>(_blocks[block].Pointer, (int)BlockBytes));
        }

        Length = length;
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    internal void Truncate(int length) => Length = Math.Min(Length, length);

    private byte* At(int block, long value) => _blocks[block].Pointer + (value * ValueBytes);

    // Rows of one panel of keys.
    private void AddRows(int head, float* keys, int keyStride, float* values, int valueStride, int rows)
    {
        var (block, place) = (Length / BlockKeys, Length % BlockKeys);
        byte* lane = Keys(block, head, place / PanelKeys) + (place % PanelKeys * ValueBytes), row = Values(block, head, 0) + (place * PanelKeys * ValueBytes);
        if (!IsBFloat16)
        {
            FloatPacking.Transpose(keys, keyStride, rows, HeadSize, (float*)lane, PanelKeys);
        }

        for (var i = 0; i < rows; i++)
        {
            float* key = keys + ((nint)i * keyStride), value = values + ((nint)i * valueStride);
            if (IsBFloat16)
            {
                BFloat16.Narrow(new ReadOnlySpan<float>(key, HeadSize), _rounded);
                AddKey((ushort*)lane + i);
                BFloat16.Narrow(new ReadOnlySpan<float>(value, HeadSize), _rounded);
                AddValue((ushort*)row + (i * PanelKeys), _rounded);
            }
            else
            {
                AddValue((float*)row + (i * PanelKeys), new ReadOnlySpan<float>(value, HeadSize));
            }
        }
    }

    private void AddKey(ushort* lane)
    {
        foreach (var value in _rounded)
        {
            *lane = value;
            lane += PanelKeys;
        }
    }

    private static void AddValue<T>(T* row, ReadOnlySpan<T> value)
        where T : unmanaged
    {
        for (var start = 0; start < value.Length; start += PanelKeys)
        {
            value.Slice(start, Math.Min(PanelKeys, value.Length - start)).CopyTo(new Span<T>(row, PanelKeys));
            row += BlockKeys * PanelKeys;
        }
    }

    private void Reserve(int length)
    {
        while (_blocks.Count * (long)BlockKeys < length)
        {
            _blocks.Add(new AlignedBuffer<byte>(checked((int)BlockBytes)));
        }
    }
}
