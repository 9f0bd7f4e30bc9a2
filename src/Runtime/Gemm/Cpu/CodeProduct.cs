using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MASQuant.Tensors;

namespace MASQuant.Gemm.Cpu;

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
    public void Run(PreparedTokens tokens, QuantizedWeight weight, Matrix y)
    {
        _kernel = CodeKernel.For(weight.Scheme.WeightBits);
        (_tokens, _tokenScales) = (tokens.Packed, tokens.Scales);
        (_inputs, _outputs) = (weight.Inputs, weight.Outputs);
        _panelBytes = PackingLayout.PackedBytes(PackingLayout.PanelOutputs, _inputs, weight.Scheme.WeightBits);
        _tokens.Fill(tokens, _kernel.Form, _kernel.MaxRows);
        fixed (byte* codes = weight.Codes.Span)
        fixed (float* scales = weight.Scales.Span, bias = weight.Bias.Span, target = y.Data)
        {
            _codes = codes;
            _weightScales = scales;
            _bias = bias;
            _y = target;
            var panels = _outputs / PackingLayout.PanelOutputs;
            _pieces = (long)tokens.Tokens * _outputs * _inputs < ThreadedWork ? 1 : Math.Min(panels, 4 * Workers.Count);
            Workers.For(_pieces, this);
        }

        _tokenScales = null!;
        _tokens = null!;
    }

    /// <inheritdoc/>
    public void Run(int piece)
    {
        var panels = _outputs / PackingLayout.PanelOutputs;
        var end = (int)((long)panels * (piece + 1) / _pieces);
        var scratch = Scratch.Current;
        var sums = scratch.Tile<int>(_kernel.MaxRows * PackingLayout.PanelOutputs);
        var packed = _tokens.Blocks.Rows <= Math.Min(_kernel.MaxPackedRows, _kernel.MaxRows);
        var unpacked = packed ? null : scratch.Panel<byte>(_kernel.PanelBytes(_inputs));
        for (var panel = (int)((long)panels * piece / _pieces); panel < end; panel++)
        {
            var stored = _codes + (panel * _panelBytes);
            if (!packed)
            {
                _kernel.Unpack(stored, _inputs, unpacked);
            }

            for (var block = 0; block < _tokens.Blocks.Count; block++)
            {
                int start = _tokens.Blocks.Start(block), rows = _tokens.Blocks.Start(block + 1) - start;
                var tokens = _tokens.Codes + ((nint)start * _inputs * (_kernel.Form == CodeForm.Bytes ? 1 : 2));
                if (packed)
                {
                    _kernel.RunPacked(rows, tokens, stored, _inputs, sums);
                }
                else
                {
                    _kernel.Run(rows, tokens, unpacked, _inputs, sums);
                }

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
