using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Unpacks one stored panel of 16 outputs of 4-bit codes, times the second-level scale of each output and group of 128 inputs: 8-bit integers.</summary>
internal static unsafe class ScaledPanels
{
    private const int StepsPerGroup = PackingLayout.GroupSize / (2 * PackingLayout.RunInputs);

    /// <summary>As bytes.</summary>
    /// <param name="source">[K/8][16][4].</param>
    /// <param name="scales">[K/128][16].</param>
    /// <param name="inputs">K.</param>
    /// <param name="target">[K/4][16][4].</param>
    /// <param name="add">What is added to each: 128 makes unsigned bytes of them.</param>
    public static void ToBytes(byte* source, byte* scales, int inputs, byte* target, short add)
    {
        var words = stackalloc short[2 * PackingLayout.RunInputs * PackingLayout.PanelOutputs];
        var offset = Vector512.Create(add);
        for (var step = 0; step < inputs / 8; step++)
        {
            Scale(source, scales + (step / StepsPerGroup * PackingLayout.PanelOutputs), words);
            for (var i = 0; i < 128; i += 64)
            {
                var (low, high) = (Vector512.Load(words + i) + offset, Vector512.Load(words + i + 32) + offset);
                Vector512.Narrow(low.AsUInt16(), high.AsUInt16()).Store(target + i);
            }

            source += 64;
            target += 128;
        }
    }

    /// <summary>As signed words.</summary>
    /// <param name="source">[K/8][16][4].</param>
    /// <param name="scales">[K/128][16].</param>
    /// <param name="inputs">K.</param>
    /// <param name="target">[K/4][16][4].</param>
    public static void ToWords(byte* source, byte* scales, int inputs, short* target)
    {
        for (var step = 0; step < inputs / 8; step++)
        {
            Scale(source, scales + (step / StepsPerGroup * PackingLayout.PanelOutputs), target);
            source += 64;
            target += 128;
        }
    }

    /// <summary>One step: inputs 0 … 3 of all outputs, then inputs 4 … 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scale(byte* source, byte* scales, short* target)
    {
        var mask = Vector256.Create((byte)0xF);
        var offset = Vector512.Create((short)PackingLayout.Int4Offset);
        for (var half = 0; half < 64; half += 32)
        {
            var codes = Vector256.Load(source + half);
            var scale = Repeat(scales + (half / PackingLayout.RunInputs));
            ((Widen(codes & mask) - offset) * scale).Store(target + half);
            ((Widen(Vector256.ShiftRightLogical(codes.AsUInt16(), 4).AsByte() & mask) - offset) * scale).Store(target + 64 + half);
        }
    }

    /// <summary>8 scales, each for the 4 inputs of a run.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Repeat(byte* scales)
    {
        var wide = Vector128.WidenLower(Vector128.CreateScalar(*(ulong*)scales).AsByte());
        var pairs = Vector256.WidenLower(wide.ToVector256Unsafe());
        pairs |= pairs << 16;
        var runs = Vector512.WidenLower(pairs.ToVector512Unsafe());
        return (runs | (runs << 32)).AsInt16();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Widen(Vector256<byte> bytes)
        => Vector512.Create(Vector256.WidenLower(bytes), Vector256.WidenUpper(bytes)).AsInt16();
}
