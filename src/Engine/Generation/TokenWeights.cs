using System.Runtime.Intrinsics;
using MASQuant.Engine.Layers;

namespace MASQuant.Engine.Generation;

/// <summary>
/// What a logit is worth in a draw, as integers: its rank, and its weight, e^((logit − largest) · scale) · 2³⁹, rounded. The weights of 2²⁴ tokens, the most that a
/// model may have, add up to at most 2⁶³, exactly. A token of less than 2⁻⁴⁰ of the largest one's probability weighs nothing: all V of them together have less than V · 2⁻⁴⁰,
/// 1.4e-7 for V = 152 064, where a logit's own rounding to FP32 moves probabilities by more.
/// </summary>
internal static class TokenWeights
{
    /// <summary>The largest logit's weight is 2 to this power.</summary>
    public const int Exponent = 39;

    /// <summary>The rank of what is no number: behind −∞.</summary>
    public const uint LastRank = uint.MaxValue;

    /// <summary>e^x · 2³⁹ is less than 0.4 from here down.</summary>
    private const float Weightless = -28f;

    /// <summary>Adding it rounds to an integer, which then stands in the low 52 bits.</summary>
    private const double Rounder = 1L << 52;

    /// <summary>Ranks and weights of V logits.</summary>
    /// <param name="logits">[V]; NaN has the last rank and no weight.</param>
    /// <param name="largest">The largest of them, finite.</param>
    /// <param name="scale">1/temperature, finite.</param>
    /// <param name="ranks">[V]: the larger the logit, the lower; equal for equal ones.</param>
    /// <param name="weights">[V].</param>
    public static void Fill(ReadOnlySpan<float> logits, float largest, float scale, Span<uint> ranks, Span<ulong> weights)
    {
        var start = 0;
        for (; start <= logits.Length - Vector512<float>.Count; start += Vector512<float>.Count)
        {
            Fill(Vector512.Create(logits[start..]), largest, scale, ranks[start..], weights[start..]);
        }

        if (start < logits.Length)
        {
            Span<float> rest = stackalloc float[Vector512<float>.Count];
            Span<uint> restRanks = stackalloc uint[rest.Length];
            Span<ulong> restWeights = stackalloc ulong[rest.Length];
            rest.Clear();
            logits[start..].CopyTo(rest);
            Fill(Vector512.Create<float>(rest), largest, scale, restRanks, restWeights);
            restRanks[..(logits.Length - start)].CopyTo(ranks[start..]);
            restWeights[..(logits.Length - start)].CopyTo(weights[start..]);
        }
    }

    private static void Fill(Vector512<float> logits, float largest, float scale, Span<uint> ranks, Span<ulong> weights)
    {
        // −0 + 0 is 0. Positive numbers fall as their bits rise; so do negative ones, from the sign on.
        var bits = (logits + Vector512<float>.Zero).AsUInt32();
        var rank = Vector512.ConditionalSelect(Vector512.LessThan(bits.AsInt32(), Vector512<int>.Zero).AsUInt32(), bits, bits ^ Vector512.Create(0x7FFFFFFFu));
        Vector512.ConditionalSelect(Vector512.Equals(logits, logits).AsUInt32(), rank, Vector512.Create(LastRank)).CopyTo(ranks);

        var x = (logits - Vector512.Create(largest)) * Vector512.Create(scale);
        var weighs = Vector512.GreaterThan(x, Vector512.Create(Weightless));
        var power = Vector512.ConditionalSelect(weighs, Exponential.Of(x), Vector512<float>.Zero);
        var (low, high) = Vector512.Widen(power);
        Round(low).CopyTo(weights);
        Round(high).CopyTo(weights[Vector512<double>.Count..]);
    }

    private static Vector512<ulong> Round(Vector512<double> power)
        => ((power * Vector512.Create((double)(1L << Exponent))) + Vector512.Create(Rounder)).AsUInt64() & Vector512.Create((1ul << 52) - 1);
}
