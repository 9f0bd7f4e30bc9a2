using System.Runtime.CompilerServices;
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

    /// <summary>One block of a row whose softmax is taken block by block: replaces scores by weights e^((score − largest so far)·scale), 0 for keys that are not seen.</summary>
    /// <param name="scores">A multiple of 16 values.</param>
    /// <param name="seen">How many count; none where it is not positive.</param>
    /// <param name="count">How many are replaced.</param>
    /// <param name="scale">Positive.</param>
    /// <param name="largest">The largest score of the blocks before, then of this one too; at first the smallest finite value.</param>
    /// <param name="total">The sum of the weights of the blocks before, then of this one too, under the largest score.</param>
    /// <returns>What was weighted before is to be multiplied by it.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static unsafe float Weigh(float* scores, int seen, int count, float scale, ref float largest, ref float total)
    {
        var end = (count + Lanes.Count - 1) / Lanes.Count * Lanes.Count;
        if (seen < end)
        {
            new Span<float>(scores, end)[Math.Max(seen, 0)..].Fill(float.NegativeInfinity);
        }

        // A NaN may be passed over here: its weight is NaN, and all of the row with it.
        var (top, other) = (Vector512.Create(largest), Vector512.Load(scores));
        for (var i = Lanes.Count; i < end; i += Lanes.Count)
        {
            (top, other) = (other, Vector512.MaxNative(top, Vector512.Load(scores + i)));
        }

        var before = largest;
        largest = Lanes.Max(Vector512.MaxNative(top, other));
        var sum = Lanes.Sum(Exponential.Weigh(scores, end, largest, scale));
        var factor = largest == before ? 1 : Exponential.Of(Vector512.Create((before - largest) * scale)).ToScalar();
        total = (total * factor) + sum;
        return factor;
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
