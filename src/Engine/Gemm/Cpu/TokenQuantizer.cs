using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Smooths and quantizes tokens, as <see cref="ScalarGemmBackend"/> defines. One object per thread, reused.</summary>
internal sealed unsafe class TokenQuantizer : IWork
{
    // Values per piece: fewer are not worth waking a thread.
    private const int PieceValues = 1 << 15;

    private const int AbsoluteBits = 0x7FFF_FFFF;
    private const int InfinityBits = 0x7F80_0000;

    [ThreadStatic]
    private static TokenQuantizer? _current;

    private InputTransform _input = null!;
    private PreparedTokens _tokens = null!;
    private QuantizationScheme _scheme;
    private float* _x;
    private IInputRows? _rows;
    private int _pieces;

    /// <summary>The calling thread's object.</summary>
    public static TokenQuantizer Current => _current ??= new TokenQuantizer();

    /// <summary>Fills <paramref name="tokens"/>, which has been reset to the shape of <paramref name="x"/>, or of <paramref name="rows"/> in its place.</summary>
    public void Run(float* x, IInputRows? rows, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens, CpuTarget target)
    {
        (_input, _tokens, _scheme) = (input, tokens, scheme);
        _x = x;
        _rows = rows;
        _pieces = (int)Math.Clamp((long)tokens.Tokens * tokens.Inputs / PieceValues, 1, Math.Max(1, tokens.Tokens));
        Workers.For(_pieces, this, target.Threads);
        (_input, _tokens, _rows) = (null!, null!, null);
    }

    /// <inheritdoc/>
    public void Run(int piece)
    {
        var (rows, columns) = (_tokens.Tokens, _tokens.Inputs);
        var end = (int)((long)rows * (piece + 1) / _pieces);
        for (var m = (int)((long)rows * piece / _pieces); m < end; m++)
        {
            fixed (float* smoothed = _tokens.Smoothed.Row(m), inverse = _input.InverseSmoothing[(int)_tokens.Modalities[m]])
            {
                _rows?.Write(m, _tokens.Smoothed.Row(m));
                var largest = Smooth(_rows is null ? _x + ((nint)m * columns) : smoothed, inverse, smoothed, columns);
                if (_input.RotationBlock > 0)
                {
                    BlockHadamard.Apply(_tokens.Smoothed.Row(m), _input.RotationBlock);
                    largest = Smooth(smoothed, null, smoothed, columns);
                }

                if (_scheme.QuantizesActivations)
                {
                    fixed (sbyte* codes = _tokens.Codes.AsSpan(m * columns, columns))
                    {
                        _tokens.Scales[m] = Quantize(smoothed, columns, largest, _scheme.ActivationMax, _input.ClipOf(_tokens.Modalities[m]), codes);
                    }
                }
            }
        }
    }

    /// <summary>smoothed = x · inverse (null: 1); returns the bits of the largest magnitude, which order as integers with NaN on top.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Smooth(float* x, float* inverse, float* smoothed, int count)
    {
        var largest = Vector512<int>.Zero;
        var k = 0;
        for (; k <= count - 16; k += 16)
        {
            var value = inverse is null ? Vector512.Load(x + k) : Vector512.Load(x + k) * Vector512.Load(inverse + k);
            value.Store(smoothed + k);
            largest = Vector512.Max(largest, value.AsInt32() & Vector512.Create(AbsoluteBits));
        }

        var bits = 0;
        for (var lane = 0; lane < 16; lane++)
        {
            bits = Math.Max(bits, largest[lane]);
        }

        for (; k < count; k++)
        {
            smoothed[k] = inverse is null ? x[k] : x[k] * inverse[k];
            bits = Math.Max(bits, BitConverter.SingleToInt32Bits(smoothed[k]) & AbsoluteBits);
        }

        return bits;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Quantize(float* values, int count, int largest, int max, float clip, sbyte* codes)
    {
        var absmax = BitConverter.Int32BitsToSingle(largest);
        if (largest >= InfinityBits || absmax < ScalarGemmBackend.SmallestMagnitude)
        {
            new Span<sbyte>(codes, count).Clear();
            return largest >= InfinityBits ? float.NaN : 0f;
        }

        var range = absmax * clip;
        var inverse = max / range;
        var factor = Vector512.Create(inverse);
        var (low, high) = (Vector512.Create(-max), Vector512.Create(max));
        var k = 0;
        for (; k <= count - 64; k += 64)
        {
            var first = Vector512.Narrow(Round(values + k, factor, low, high), Round(values + k + 16, factor, low, high));
            var second = Vector512.Narrow(Round(values + k + 32, factor, low, high), Round(values + k + 48, factor, low, high));
            Vector512.Narrow(first, second).Store(codes + k);
        }

        for (; k < count; k++)
        {
            codes[k] = (sbyte)Math.Clamp((int)MathF.Round(values[k] * inverse, MidpointRounding.ToEven), -max, max);
        }

        return range / max;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Round(float* values, Vector512<float> factor, Vector512<int> low, Vector512<int> high)
        => Vector512.Min(Vector512.Max(Vector512.ConvertToInt32Native(Vector512.Round(Vector512.Load(values) * factor)), low), high);
}
