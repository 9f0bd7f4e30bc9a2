using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>One product of quantized tokens and a symmetric quantized weight, cut into ranges of panels. One object per thread, reused.</summary>
internal sealed unsafe class CodeProduct : IWork
{
    // Below this many multiply-adds a product ends before another thread has woken up.
    private const long ThreadedWork = 1 << 18;

    [ThreadStatic]
    private static CodeProduct? _current;

    private CodeKernel _kernel;
    private PackedTokens _tokens = null!;
    private float[] _tokenScales = null!;
    private byte* _codes;
    private byte* _groupScales;
    private float* _weightScales;
    private float* _bias;
    private float* _y;
    private int _inputs;
    private int _outputs;
    private long _panelBytes;
    private int _pieces;

    /// <summary>The calling thread's product.</summary>
    public static CodeProduct Current => _current ??= new CodeProduct();

    /// <summary>Y = tokens · weightᵀ + bias; the shapes have been checked.</summary>
    public void Run(PreparedTokens tokens, QuantizedWeight weight, float* y, CpuTarget target)
    {
        _kernel = CodeKernel.For(weight, target, tokens.Tokens);
        (_tokens, _tokenScales) = (tokens.Packed, tokens.Scales);
        (_inputs, _outputs) = (weight.Inputs, weight.Outputs);
        _panelBytes = PackingLayout.PackedBytes(PackingLayout.PanelOutputs, _inputs, weight.Scheme.WeightBits);
        _tokens.Fill(tokens, _kernel.Form, _kernel.MaxRows);
        fixed (byte* codes = weight.Codes.Span, groupScales = weight.GroupScales.Span)
        fixed (float* scales = weight.Scales.Span, bias = weight.Bias.Span)
        {
            _codes = codes;
            _groupScales = groupScales;
            _weightScales = scales;
            _bias = bias;
            _y = y;
            var panels = _outputs / PackingLayout.PanelOutputs;
            _pieces = (long)tokens.Tokens * _outputs * _inputs < ThreadedWork ? 1 : Math.Min(panels, 4 * target.Threads);
            Workers.For(_pieces, this, target.Threads);
        }

        _tokenScales = null!;
        _tokens = null!;
    }

    /// <inheritdoc/>
    public void Run(int piece)
    {
        var panels = _outputs / PackingLayout.PanelOutputs;
        var unit = _kernel.PanelUnit;
        long units = (panels + unit - 1) / unit;
        var panel = (int)(units * piece / _pieces * unit);
        var end = Math.Min(panels, (int)(units * (piece + 1) / _pieces * unit));
        if (_kernel.Form == CodeForm.Tiles)
        {
            RunTiles(panel, end);
        }
        else
        {
            RunBlocks(panel, end);
        }
    }

    /// <summary>A few panels at a time, for all blocks of tokens.</summary>
    private void RunBlocks(int panel, int end)
    {
        var blocks = _tokens.Blocks;
        var height = (blocks.Rows + blocks.Count - 1) / Math.Max(1, blocks.Count);
        var packed = blocks.Rows <= _kernel.MaxPackedTokens;
        var most = _kernel.Panels(height, packed, end - panel);
        var sums = Scratch.Current.Tile<int>(most * height * PackingLayout.PanelOutputs);
        var unpacked = packed ? null : Scratch.Current.Panel<byte>(_kernel.PanelBytes(_inputs));
        var tokenBytes = (nint)_inputs * (_kernel.Form == CodeForm.Bytes ? 1 : 2);
        for (int count; panel < end; panel += count)
        {
            count = _kernel.Panels(height, packed, end - panel);
            if (!packed)
            {
                _kernel.Unpack(Codes(panel), GroupScales(panel), _inputs, unpacked);
            }

            for (var block = 0; block < blocks.Count; block++)
            {
                int start = blocks.Start(block), rows = blocks.Start(block + 1) - start;
                var tokens = _tokens.Codes + (start * tokenBytes);
                if (packed)
                {
                    _kernel.RunPacked(rows, count, tokens, Codes(panel), _panelBytes, GroupScales(panel), _inputs, sums);
                }
                else
                {
                    _kernel.Run(rows, tokens, unpacked, _inputs, sums);
                }

                for (var i = 0; i < count; i++)
                {
                    Store(sums + (i * rows * PackingLayout.PanelOutputs), start, rows, (panel + i) * PackingLayout.PanelOutputs);
                }
            }
        }
    }

    /// <summary>Two panels at a time, 512 of their inputs at a time, for as many blocks of tokens as the second-level cache holds.</summary>
    private void RunTiles(int panel, int end)
    {
        // 512 tokens of 2048 inputs are 1 MB.
        const int MostBlocks = 32;
        var blocks = _tokens.Blocks;
        var blockBytes = PackedTokens.TileBlockBytes(_inputs);
        var callInputs = Math.Min(_inputs, TileKernelAmx.CallInputs);
        var callBytes = (callInputs + TileKernelAmx.TileInputs - 1) / TileKernelAmx.TileInputs * TileKernelAmx.TileBytes;
        var sums = Scratch.Current.Tile<int>(Math.Min(blocks.Count, MostBlocks) * TileKernelAmx.BlockSums);
        var unpacked = Scratch.Current.Panel<byte>(TileKernelAmx.Panels * callBytes);
        for (var first = 0; first < blocks.Count; first += MostBlocks)
        {
            var count = Math.Min(MostBlocks, blocks.Count - first);
            for (var pair = panel; pair < end; pair += TileKernelAmx.Panels)
            {
                var panels = Math.Min(TileKernelAmx.Panels, end - pair);
                for (var input = 0; input < _inputs; input += callInputs)
                {
                    var inputs = Math.Min(callInputs, _inputs - input);
                    for (var i = 0; i < panels; i++)
                    {
                        var source = Codes(pair + i) + (_panelBytes / _inputs * input);
                        _kernel.Unpack(source, GroupScales(pair + i) + (input / PackingLayout.GroupSize * PackingLayout.PanelOutputs), inputs, unpacked + (i * callBytes));
                    }

                    var tokens = _tokens.Codes + (first * blockBytes) + ((nint)input * TileKernelAmx.BlockRows);
                    _kernel.RunTiles(count, tokens, blockBytes, panels, unpacked, callBytes, inputs, sums, add: input > 0);
                }

                StoreTiles(sums, first, count, pair, panels);
            }
        }
    }

    private void StoreTiles(int* sums, int first, int count, int panel, int panels)
    {
        for (var block = first; block < first + count; block++)
        {
            for (var i = 0; i < panels; i++)
            {
                int start = _tokens.Blocks.Start(block), rows = _tokens.Blocks.Start(block + 1) - start;
                Store(sums + ((block - first) * TileKernelAmx.BlockSums) + (i * TileKernelAmx.BlockRows * PackingLayout.PanelOutputs), start, rows, (panel + i) * PackingLayout.PanelOutputs);
            }
        }
    }

    private byte* Codes(int panel) => _codes + (panel * _panelBytes);

    private byte* GroupScales(int panel) => _groupScales + ((long)panel * (_inputs / PackingLayout.GroupSize) * PackingLayout.PanelOutputs);

    /// <summary>Turns sums[rows, 16] into outputs, in the order of roundings of <see cref="ScalarGemmBackend"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Store(int* sums, int start, int rows, int output)
    {
        var weightScale = Vector512.Load(_weightScales + output);
        for (var i = 0; i < rows; i++)
        {
            var sum = Vector512.Load(sums) - Vector512.Create(_kernel.Offset * _tokens.Sums[start + i]);
            var y = Vector512.ConvertToSingle(sum) * (Vector512.Create(_tokenScales[start + i]) * weightScale);
            if (_bias is not null)
            {
                y += Vector512.Load(_bias + output);
            }

            y.Store(_y + ((nint)(start + i) * _outputs) + output);
            sums += PackingLayout.PanelOutputs;
        }
    }
}
