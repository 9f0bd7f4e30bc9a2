namespace MASQuant.Engine.Layers;

/// <summary>Rotates pairs (i, i + d/2) of the first d values of every head of a row by that row's angles.</summary>
public static class Rotary
{
    /// <summary>Rotates <paramref name="row"/>, heads × d values, in place.</summary>
    /// <param name="row">Heads side by side.</param>
    /// <param name="cosines">d/2 values, the same for every head.</param>
    /// <param name="sines">d/2 values.</param>
    public static void Rotate(Span<float> row, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines) => Rotate(row, 2 * cosines.Length, cosines, sines);

    /// <summary>Rotates the first d values of every head of <paramref name="row"/> in place.</summary>
    /// <param name="row">Heads side by side.</param>
    /// <param name="headSize">The values of a head.</param>
    /// <param name="cosines">d/2 values, the same for every head.</param>
    /// <param name="sines">d/2 values.</param>
    public static void Rotate(Span<float> row, int headSize, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines)
    {
        var half = cosines.Length;
        for (var head = 0; head < row.Length; head += headSize)
        {
            var first = row.Slice(head, half);
            var second = row.Slice(head + half, half);
            for (var i = 0; i < half; i += Lanes.Count)
            {
                var (a, b) = (Lanes.Load(first, i), Lanes.Load(second, i));
                var (cosine, sine) = (Lanes.Load(cosines, i), Lanes.Load(sines, i));
                Lanes.Store((a * cosine) - (b * sine), first, i);
                Lanes.Store((b * cosine) + (a * sine), second, i);
            }
        }
    }
}
