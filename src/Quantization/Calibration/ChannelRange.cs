namespace MASQuant.Quantization.Calibration;

/// <summary>max |x| per channel.</summary>
internal static class ChannelRange
{
    /// <summary>Raises each of the K <paramref name="ranges"/> to the largest magnitude in its column of <paramref name="matrix"/>, [T, K]. NaN propagates.</summary>
    public static void Widen(Span<float> ranges, Matrix matrix)
    {
        for (var i = 0; i < matrix.Rows; i++)
        {
            var row = matrix.Row(i);
            for (var k = 0; k < ranges.Length; k++)
            {
                ranges[k] = Math.Max(ranges[k], Math.Abs(row[k]));
            }
        }
    }
}
