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
        _kernel = CodeKernel.For(weight, target);
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
        var panel = (int)((long)panels * piece / _pieces);
        var end = (int)((long)panels * (piece + 1) / _pieces);
        var sums = Scratch.Current.Tile<int>(Math.Max(_kernel.MaxRows, _kernel.Streams) * PackingLayout.PanelOutputs);
        if (_tokens.Blocks.Rows == 1 && _kernel.Streams > 1)
        {
            panel = RunStreams(panel, end, sums);
        }

        if (_tokens.Blocks.Rows <= _kernel.MaxPackedRows)
        {
            RunPacked(panel, end, sums);
        }
        else
        {
            RunUnpacked(panel, end, sums);
        }
    }

    /// <summary>One token, several panels at a time; returns the first panel that is left.</summary>
    private int RunStreams(int panel, int end, int* sums)
    {
        for (; panel <= end - _kernel.Streams; panel += _kernel.Streams)
        {
            _kernel.RunStreams(_tokens.Codes, _codes + (panel * _panelBytes), _panelBytes, _inputs, sums);
            for (var stream = 0; stream < _kernel.Streams; stream++)
            {
                Store(sums + (stream * PackingLayout.PanelOutputs), 0, 1, (panel + stream) * PackingLayout.PanelOutputs);
            }
        }

        return panel;
    }

    /// <summary>One block of tokens: every weight is used once, so it is not worth unpacking.</summary>
    private void RunPacked(int panel, int end, int* sums)
    {
        for (; panel < end; panel++)
        {
            _kernel.RunPacked(_tokens.Blocks.Rows, _tokens.Codes, _codes + (panel * _panelBytes), _inputs, sums);
            Store(sums, 0, _tokens.Blocks.Rows, panel * PackingLayout.PanelOutputs);
        }
    }

    private void RunUnpacked(int panel, int end, int* sums)
    {
        var unpacked = Scratch.Current.Panel<byte>(_kernel.PanelBytes(_inputs));
        var tokenBytes = (nint)_inputs * (_kernel.Form == CodeForm.Bytes ? 1 : 2);
        for (; panel < end; panel++)
        {
            _kernel.Unpack(_codes + (panel * _panelBytes), _groupScales + ((long)panel * (_inputs / PackingLayout.GroupSize) * PackingLayout.PanelOutputs), _inputs, unpacked);
            for (var block = 0; block < _tokens.Blocks.Count; block++)
            {
                int start = _tokens.Blocks.Start(block), rows = _tokens.Blocks.Start(block + 1) - start;
                _kernel.Run(rows, _tokens.Codes + (start * tokenBytes), unpacked, _inputs, sums);
                Store(sums, start, rows, panel * PackingLayout.PanelOutputs);
            }
        }
    }

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
