using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Quantization.Calibration;

/// <summary>max |x| per channel.</summary>
internal static class ChannelRange
{
    /// <summary>Raises each of the K <paramref name="ranges"/> to the largest magnitude in its column of <paramref name="matrix"/>, [T, K]. NaN propagates.</summary>
    public static void Widen(Span<float> ranges, Matrix matrix)
    {
        for (var i = 0; i < matrix.Rows; i++)
        {
            Widen(ranges, matrix.Row(i));
        }
    }

    /// <summary>The same for one row.</summary>
    public static void Widen(Span<float> ranges, ReadOnlySpan<float> row)
    {
        var largest = MemoryMarshal.Cast<float, Vector512<float>>(ranges);
        var values = MemoryMarshal.Cast<float, Vector512<float>>(row[..ranges.Length]);
        for (var i = 0; i < largest.Length; i++)
        {
            largest[i] = Vector512.Max(largest[i], Vector512.Abs(values[i]));
        }

        for (var k = largest.Length * Vector512<float>.Count; k < ranges.Length; k++)
        {
            ranges[k] = Math.Max(ranges[k], Math.Abs(row[k]));
        }
    }
}
