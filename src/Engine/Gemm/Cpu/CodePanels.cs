using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Unpacks one stored panel of 16 outputs, [K/4][16][4], into the numbers that a kernel multiplies.</summary>
internal static unsafe class CodePanels
{
    /// <summary>4-bit codes as bytes 0 … 15, still offset by 8. <paramref name="inputs"/> codes for each output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NibblesToBytes(byte* source, int inputs, byte* target)
    {
        var mask = Vector512.Create((byte)0xF);
        for (var step = 0; step < inputs / 8; step++)
        {
            var codes = Vector512.Load(source);
            (codes & mask).Store(target);
            (Vector512.ShiftRightLogical(codes.AsUInt16(), 4).AsByte() & mask).Store(target + 64);
            source += 64;
            target += 128;
        }
    }

    /// <summary>4-bit codes as signed words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void NibblesToWords(byte* source, int inputs, short* target)
    {
        var mask = Vector256.Create((byte)0xF);
        var offset = Vector512.Create((short)PackingLayout.Int4Offset);
        for (var step = 0; step < inputs / 8; step++)
        {
            for (var half = 0; half < 64; half += 32)
            {
                var codes = Vector256.Load(source + half);
                (Widen(codes & mask) - offset).Store(target + half);
                (Widen(Vector256.ShiftRightLogical(codes.AsUInt16(), 4).AsByte() & mask) - offset).Store(target + 64 + half);
            }

            source += 64;
            target += 128;
        }
    }

    /// <summary>8-bit codes as signed words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BytesToWords(byte* source, int inputs, short* target)
    {
        for (nint i = 0; i < (nint)inputs * PackingLayout.PanelOutputs; i += 32)
        {
            var codes = Vector256.Load((sbyte*)source + i);
            Vector512.Create(Vector256.WidenLower(codes), Vector256.WidenUpper(codes)).Store(target + i);
        }
    }

    /// <summary>8-bit codes as bytes, offset by 128.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BytesToUnsigned(byte* source, int inputs, byte* target)
    {
        var sign = Vector512.Create((byte)0x80);
        for (nint i = 0; i < (nint)inputs * PackingLayout.PanelOutputs; i += 64)
        {
            (Vector512.Load(source + i) ^ sign).Store(target + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<short> Widen(Vector256<byte> bytes)
        => Vector512.Create(Vector256.WidenLower(bytes), Vector256.WidenUpper(bytes)).AsInt16();
}
