using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Layers;

/// <summary>The keys and values of one decoder block, in blocks of <see cref="BlockKeys"/> tokens. In a block each head has its keys as panels [d, 32], one lane a token, then its values as panels [<see cref="BlockKeys"/>, 32], one lane a column: what the kernels of attention read.</summary>
public sealed unsafe class KvCacheLayer
{
    /// <summary>Tokens of a block.</summary>
    internal const int BlockKeys = 128;

    private const int PanelKeys = PanelSource.PanelOutputs;
    private readonly int _heads;
    private readonly List<AlignedBuffer<float>> _blocks = [];

    internal KvCacheLayer(int heads, int headSize) => (_heads, HeadSize) = (heads, headSize);

    /// <summary>The number of tokens held.</summary>
    public int Length { get; private set; }

    /// <summary>d.</summary>
    internal int HeadSize { get; }

    /// <summary>Panels of a head's values: d / 32, rounded up.</summary>
    internal int ValuePanels => (HeadSize + PanelKeys - 1) / PanelKeys;

    /// <summary>What it takes of memory.</summary>
    internal long Bytes => _blocks.Count * BlockValues * sizeof(float);

    private long HeadValues => (long)BlockKeys * (HeadSize + (ValuePanels * PanelKeys));

    private long BlockValues => _heads * HeadValues;

    /// <summary>A panel of a head's keys, [d, 32].</summary>
    internal float* Keys(int block, int head, int panel) => _blocks[block].Pointer + (head * HeadValues) + ((nint)panel * HeadSize * PanelKeys);

    /// <summary>A panel of a head's values, [<see cref="BlockKeys"/>, 32].</summary>
    internal float* Values(int block, int head, int panel) => _blocks[block].Pointer + (head * HeadValues) + (BlockKeys * (HeadSize + ((nint)panel * PanelKeys)));

    /// <summary>Adds <paramref name="count"/> rows of <paramref name="keys"/> and <paramref name="values"/>, of which the heads' columns begin at <paramref name="column"/>.</summary>
    internal void Append(Matrix keys, Matrix values, int first, int count, int column = 0)
    {
        Reserve(checked(Length + count));
        for (var row = first; row < first + count; row++, Length++)
        {
            var (block, place) = (Length / BlockKeys, Length % BlockKeys);
            for (var head = 0; head < _heads; head++)
            {
                var start = column + (head * HeadSize);
                AddKey(keys.Row(row).Slice(start, HeadSize), Keys(block, head, place / PanelKeys) + (place % PanelKeys));
                AddValue(values.Row(row).Slice(start, HeadSize), Values(block, head, 0) + (place * PanelKeys));
            }
        }
    }

    internal bool Fits(int heads, int headSize) => (heads, headSize) == (_heads, HeadSize);

    internal KvCacheLayer NewLike() => new(_heads, HeadSize);

    /// <summary>Takes the first <paramref name="length"/> tokens of another in place of its own.</summary>
    internal void CopyFrom(KvCacheLayer other, int length)
    {
        Length = 0;
        Reserve(length);
        for (var block = 0; block * BlockKeys < length; block++)
        {
            new ReadOnlySpan<float>(other._blocks[block].Pointer, (int)BlockValues).CopyTo(new Span<float>(_blocks[block].Pointer, (int)BlockValues));
        }

        Length = length;
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    internal void Truncate(int length) => Length = Math.Min(Length, length);

    private static void AddKey(ReadOnlySpan<float> key, float* lane)
    {
        foreach (var value in key)
        {
            *lane = value;
            lane += PanelKeys;
        }
    }

    private static void AddValue(ReadOnlySpan<float> value, float* row)
    {
        for (var start = 0; start < value.Length; start += PanelKeys)
        {
            var part = value.Slice(start, Math.Min(PanelKeys, value.Length - start));
            part.CopyTo(new Span<float>(row, PanelKeys));
            row += BlockKeys * PanelKeys;
        }
    }

    private void Reserve(int length)
    {
        while (_blocks.Count * (long)BlockKeys < length)
        {
            _blocks.Add(new AlignedBuffer<float>(checked((int)BlockValues)));
        }
    }
}
