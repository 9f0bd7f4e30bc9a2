using System.Runtime.Intrinsics;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Layers;

/// <summary>softmax(scale · Q·Kᵀ)·V of queries that read the same keys, a block of keys at a time (online softmax, Milakov and Gimelshein, 2018; FlashAttention, Dao et al., 2022). One object per thread, reused.</summary>
/// <remarks>
/// Keys and values are what the cache holds: BF16 is widened. Blocks begin at every <see cref="KvCacheLayer.BlockKeys"/>th key of a sequence. In each, in order: scores are chains of fused multiply-adds over d; the largest score so far is m;
/// weights are e^((score − m)·scale), summed as <see cref="Softmax.Weigh"/> does; what was summed under another m is multiplied by e^((m before − m)·scale); then the block's weighted values, a chain of fused multiply-adds over its keys, are added.
/// So a row has one result, whatever rows and keys are evaluated with it.
/// </remarks>
internal sealed unsafe class AttentionTile
{
    private const int BlockKeys = KvCacheLayer.BlockKeys;
    private const int PanelKeys = PanelSource.PanelOutputs;

    // Queries, scores, weights and sums of so many rows stay in a second-level cache, beside a block of keys and values.
    private const int MostRows = 112;

    [ThreadStatic]
    private static AttentionTile? _current;

    private AlignedBuffer<float> _queries = new(0);
    private AlignedBuffer<float> _scores = new(0);
    private AlignedBuffer<float> _weights = new(0);
    private AlignedBuffer<float> _sums = new(0);
    private AlignedBuffer<float> _panel = new(0);
    private float[] _largest = [];
    private float[] _totals = [];
    private FloatLevel _level;
    private RowBlocks _blocks;
    private int _heads;
    private int _size;
    private int _sumColumns;
    private bool _halves;

    /// <summary>The calling thread's tile.</summary>
    public static AttentionTile Current => _current ??= new AttentionTile();

    /// <summary>How many tokens are worth evaluating at once, whose rows for a key head are <paramref name="heads"/> each.</summary>
    public static int Tokens(int heads) => Math.Max(1, MostRows / heads);

    /// <summary>Attends with <paramref name="tokens"/> × <paramref name="heads"/> rows.</summary>
    /// <param name="cache">Keys and values.</param>
    /// <param name="keyHead">Which of its heads.</param>
    /// <param name="queries">Where the rows' queries lie.</param>
    /// <param name="output">Where their results go.</param>
    /// <param name="tokens">Tokens.</param>
    /// <param name="heads">Query heads of each that read the key head.</param>
    /// <param name="visible">How many keys the first token sees, at least 1.</param>
    /// <param name="visibleStep">How many more each further token sees.</param>
    /// <param name="scale">Of scores.</param>
    /// <param name="target">What to compute with; null: all that the machine has.</param>
    public void Attend(KvCacheLayer cache, int keyHead, HeadRows queries, HeadRows output, int tokens, int heads, int visible, int visibleStep, float scale, CpuTarget? target = null)
    {
        _level = (target ?? CpuTarget.ThisMachine).FloatLevel;
        _blocks = new RowBlocks(tokens * heads, FloatKernel.MaxRows(_level));
        (_heads, _size, _sumColumns, _halves) = (heads, cache.HeadSize, cache.ValuePanels * PanelKeys, cache.IsBFloat16);
        Reserve(_blocks.Rows);
        Gather(queries, tokens);
        _largest.AsSpan(0, _blocks.Rows).Fill(float.MinValue);
        _totals.AsSpan(0, _blocks.Rows).Clear();
        var keys = visible + ((tokens - 1) * visibleStep);
        for (var start = 0; start < keys; start += BlockKeys)
        {
            var count = Math.Min(BlockKeys, keys - start);
            Score(cache, start / BlockKeys, keyHead, count);
            Weigh(start, count, visible, visibleStep, scale);
            Sum(cache, start / BlockKeys, keyHead, count);
        }

        Scatter(output, tokens);
    }

    private void Reserve(int rows)
    {
        Grow(ref _queries, (long)rows * _size);
        Grow(ref _scores, (long)rows * BlockKeys);
        Grow(ref _weights, (long)rows * BlockKeys);
        Grow(ref _sums, (long)rows * _sumColumns);
        Grow(ref _panel, (long)Math.Max(_size, BlockKeys) * PanelKeys);
        if (_largest.Length < rows)
        {
            (_largest, _totals) = (new float[rows], new float[rows]);
        }
    }

    private static void Grow(ref AlignedBuffer<float> buffer, long length) => buffer = buffer.Length < length ? new AlignedBuffer<float>(length) : buffer;

    // The rows' queries in the order of the kernels; the sums' memory holds them in between.
    private void Gather(HeadRows queries, int tokens)
    {
        for (var row = 0; row < tokens * _heads; row++)
        {
            new ReadOnlySpan<float>(queries.Row(row, _heads), _size).CopyTo(new Span<float>(_sums.Pointer + ((nint)row * _size), _size));
        }

        Pack(_sums.Pointer, _size, _size, _queries.Pointer);
    }

    /// <summary>[rows, stride] as [block][depth, block rows].</summary>
    private void Pack(float* rows, int stride, int depth, float* target)
    {
        for (var block = 0; block < _blocks.Count; block++)
        {
            int start = _blocks.Start(block), height = _blocks.Start(block + 1) - start;
            FloatPacking.Pack(rows + ((nint)start * stride), stride, 1, height, depth, target + ((nint)start * depth), height);
        }
    }

    private void Score(KvCacheLayer cache, int block, int keyHead, int count)
    {
        for (var first = 0; first < count; first += PanelKeys)
        {
            Multiply(_queries.Pointer, cache.Keys(block, keyHead, first / PanelKeys), _scores.Pointer + first, BlockKeys, _size, add: false);
        }
    }

    private void Weigh(int start, int count, int visible, int visibleStep, float scale)
    {
        for (var row = 0; row < _blocks.Rows; row++)
        {
            var seen = visible + (row / _heads * visibleStep) - start;
            var factor = Softmax.Weigh(_scores.Pointer + ((nint)row * BlockKeys), seen, count, scale, ref _largest[row], ref _totals[row]);
            if (start > 0 && factor != 1)
            {
                Scale(_sums.Pointer + ((nint)row * _sumColumns), _sumColumns, factor);
            }
        }
    }

    private void Sum(KvCacheLayer cache, int block, int keyHead, int count)
    {
        Pack(_scores.Pointer, BlockKeys, count, _weights.Pointer);
        for (var panel = 0; panel < cache.ValuePanels; panel++)
        {
            Multiply(_weights.Pointer, cache.Values(block, keyHead, panel), _sums.Pointer + (panel * PanelKeys), _sumColumns, count, add: block > 0);
        }
    }

    private void Multiply(float* rows, byte* panel, float* target, int stride, int depth, bool add)
    {
        // What more than two blocks of rows read is widened once.
        var halves = _halves && _blocks.Count <= 2;
        if (_halves && !halves)
        {
            BFloat16.Widen(new ReadOnlySpan<ushort>(panel, depth * PanelKeys), new Span<float>(_panel.Pointer, depth * PanelKeys));
            panel = (byte*)_panel.Pointer;
        }

        for (var block = 0; block < _blocks.Count; block++)
        {
            int start = _blocks.Start(block), height = _blocks.Start(block + 1) - start;
            FloatKernel.Run(_level, halves, height, rows + ((nint)start * depth), panel, PanelKeys * (halves ? sizeof(ushort) : sizeof(float)), target + ((nint)start * stride), stride, depth, add);
        }
    }

    private void Scatter(HeadRows output, int tokens)
    {
        for (var row = 0; row < tokens * _heads; row++)
        {
            var sums = _sums.Pointer + ((nint)row * _sumColumns);
            Scale(sums, _sumColumns, 1 / _totals[row]);
            new ReadOnlySpan<float>(sums, _size).CopyTo(new Span<float>(output.Row(row, _heads), _size));
        }
    }

    private static void Scale(float* values, int count, float factor)
    {
        for (var i = 0; i < count; i += Lanes.Count)
        {
            (Vector512.Load(values + i) * factor).Store(values + i);
        }
    }
}
