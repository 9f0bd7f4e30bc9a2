using System.Runtime.Intrinsics;

namespace MASQuant.Formats.Safetensors;

/// <summary>Conversion between FP32 and BF16, its upper 16 bits. Narrowing rounds to nearest, ties to even; a NaN stays a NaN (quiet, its sign and upper payload kept).</summary>
public static class BFloat16
{
    private const uint RoundingBias = 0x7FFF;
    private const ushort QuietBit = 0x40;

    /// <summary>The value of BF16 bits; exact.</summary>
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>The BF16 bits nearest to <paramref name="value"/>.</summary>
    public static ushort FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | QuietBit)
            : (ushort)((bits + RoundingBias + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Converts every value of <paramref name="source"/>; <paramref name="destination"/> is at least as long.</summary>
    public static void Widen(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, source.Length, nameof(destination));
        var i = 0;
        for (; i <= source.Length - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
        {
            var (lower, upper) = Vector512.Widen(Vector512.Create(source[i..]));
            (lower << 16).AsSingle().CopyTo(destination[i..]);
            (upper << 16).AsSingle().CopyTo(destination[(i + Vector512<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = ToSingle(source[i]);
        }
    }

    /// <summary>Rounds every value of <paramref name="source"/>; <paramref name="destination"/> is at least as long.</summary>
    public static void Narrow(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, source.Length, nameof(destination));
        var i = 0;
        for (; i <= source.Length - Vector512<ushort>.Count; i += Vector512<ushort>.Count)
        {
            var lower = Narrow(Vector512.Create(source[i..]));
            var upper = Narrow(Vector512.Create(source[(i + Vector512<float>.Count)..]));
            Vector512.Narrow(lower, upper).CopyTo(destination[i..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = FromSingle(source[i]);
        }
    }

    /// <summary>Replaces every value by the BF16 value nearest to it.</summary>
    public static void Round(Span<float> values)
    {
        var i = 0;
        for (; i <= values.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            (Narrow(Vector512.Create((ReadOnlySpan<float>)values[i..])) << 16).AsSingle().CopyTo(values[i..]);
        }

        for (; i < values.Length; i++)
        {
            values[i] = ToSingle(FromSingle(values[i]));
        }
    }

    private static Vector512<uint> Narrow(Vector512<float> values)
    {
        var bits = values.AsUInt32();
        var upper = bits >> 16;
        var rounded = (bits + Vector512.Create(RoundingBias) + (upper & Vector512<uint>.One)) >> 16;
        var ordered = Vector512.Equals(values, values).AsUInt32();
        return Vector512.ConditionalSelect(ordered, rounded, upper | Vector512.Create((uint)QuietBit));
    }
}
