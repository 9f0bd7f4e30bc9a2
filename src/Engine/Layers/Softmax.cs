using System.Runtime.Intrinsics;

namespace MASQuant.Engine.Layers;

/// <summary>softmax(scale · x) of one row.</summary>
public static class Softmax
{
    /// <summary>Replaces a row of scores by its probabilities; <paramref name="scale"/> is positive. A row with NaN or +∞ becomes NaN, −∞ gets probability 0.</summary>
    public static void Apply(Span<float> row, float scale = 1f)
    {
        var largest = Vector512.Create(Largest(row));
        var (factor, sum) = (Vector512.Create(scale), Vector512<float>.Zero);
        for (var i = 0; i < row.Length; i += Lanes.Count)
        {
            var weight = Exponential.Of((Lanes.Load(row, i, fill: float.NegativeInfinity) - largest) * factor);
            Lanes.Store(weight, row, i);
            sum += weight;
        }

        var inverse = Vector512.Create(1f / Lanes.Sum(sum));
        for (var i = 0; i < row.Length; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(row, i) * inverse, row, i);
        }
    }

    private static float Largest(ReadOnlySpan<float> row)
    {
        var largest = Vector512.Create(float.NegativeInfinity);
        for (var i = 0; i < row.Length; i += Lanes.Count)
        {
            largest = Vector512.Max(largest, Lanes.Load(row, i, fill: float.NegativeInfinity));
        }

        return Lanes.Max(largest);
    }
}
