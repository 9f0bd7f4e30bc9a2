using System.Runtime.Intrinsics;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;

namespace MASQuant.Engine.Tests.Layers;

/// <summary>What <see cref="AttentionTile"/> defines, one query at a time in plain loops.</summary>
internal static class AttentionDefinition
{
    private const int BlockKeys = 128;
    private const int LaneCount = 16;

    /// <summary>softmax(scale · q·Kᵀ)·V over the keys that are seen.</summary>
    /// <param name="query">d values.</param>
    /// <param name="keys">Gives a key, d values.</param>
    /// <param name="values">Gives a value, d values.</param>
    /// <param name="seen">How many.</param>
    /// <param name="scale">Of scores.</param>
    public static float[] Attend(float[] query, Func<int, float[]> keys, Func<int, float[]> values, int seen, float scale)
    {
        var (largest, total, sums) = (float.MinValue, 0f, new float[query.Length]);
        for (var start = 0; start < seen; start += BlockKeys)
        {
            var end = Math.Min(start + BlockKeys, seen);
            var scores = Enumerable.Range(start, end - start).Select(key => FloatGemmReference.Dot(query, keys(key))).ToArray();
            var before = largest;
            largest = Math.Max(largest, scores.Max());
            var factor = Exp((before - largest) * scale);
            var weights = scores.Select(score => Exp((score - largest) * scale)).ToArray();
            total = (total * factor) + Sum(weights);
            for (var column = 0; column < sums.Length; column++)
            {
                var sum = 0f;
                for (var key = start; key < end; key++)
                {
                    sum = MathF.FusedMultiplyAdd(weights[key - start], values(key)[column], sum);
                }

                sums[column] = start == 0 ? sum : (sums[column] * factor) + sum;
            }
        }

        return [.. sums.Select(sum => sum * (1 / total))];
    }

    private static float Exp(float x) => Exponential.Of(Vector512.Create(x)).ToScalar();

    // Every 16th in order, then halves onto each other.
    private static float Sum(float[] weights)
    {
        var lanes = new float[LaneCount];
        foreach (var (i, weight) in weights.Index())
        {
            lanes[i % LaneCount] += weight;
        }

        for (var half = LaneCount / 2; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++)
            {
                lanes[i] += lanes[i + half];
            }
        }

        return lanes[0];
    }
}
