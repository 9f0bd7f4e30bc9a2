using System.Numerics;
using MASQuant.Engine.Generation;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>The sampler against its definition, spelled out: sort, add, cut, walk.</summary>
public class SamplerDefinitionTests
{
    public static TheoryData<double, int, double, double> Options
    {
        get
        {
            var options = new TheoryData<double, int, double, double>();
            foreach (var temperature in (double[])[1e-300, 1e-3, 0.7, 1, 100])
            {
                foreach (var k in (int[])[0, 1, 2, 20, 299, 300, int.MaxValue])
                {
                    options.Add(temperature, k, 1, 0);
                    options.Add(temperature, k, 0.8, 0);
                    options.Add(temperature, k, 0.8, 0.3);
                }
            }

            foreach (var p in (double[])[1e-300, 1e-6, 0.3, 0.5, 0.999999, 1 - Math.ScaleB(1, -53)])
            {
                options.Add(1, 0, p, 0);
                options.Add(20, 7, p, 0);
            }

            foreach (var minP in (double[])[1e-300, 1e-6, 0.3, 1 - Math.ScaleB(1, -53), 1])
            {
                options.Add(1, 0, 1, minP);
                options.Add(20, 7, 0.9, minP);
            }

            return options;
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Every_token_is_the_definitions(double temperature, int topK, double topP, double minP)
    {
        var options = new GenerationOptions { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, Seed = 5 };
        var (sampler, twin) = (new Sampler(options), new Sampler(options));
        var random = new Random(9);
        for (var trial = 0; trial < 40; trial++)
        {
            var logits = Logits(random, trial);
            Assert.Equal(Expected(logits, twin.NextDraw(), temperature, topK, topP, minP), sampler.Next(logits));
        }
    }

    // The inequality of Dvoretzky, Kiefer and Wolfowitz: the largest distance between the frequencies of n draws and their distribution, both summed up to each id,
    // is t or more with probability ≤ 2·exp(−2nt²), 8e-11 here. Rounding to weights moves the distribution by less than 1e-5 (see TokenWeightsTests: |x| < 28).
    [Fact]
    public void Frequencies_follow_the_softmax()
    {
        const int Draws = 20_000;
        const double Allowed = 0.0245;
        var random = new Random(2);
        var logits = Enumerable.Range(0, 3000).Select(_ => (float)(random.NextDouble() * 9)).ToArray();
        var exact = logits.Select(logit => Math.Exp(logit / 0.9)).ToArray();
        var total = exact.Sum();
        var sampler = new Sampler(new GenerationOptions { Temperature = 0.9, Seed = 12 });
        var counts = new int[logits.Length];
        for (var draw = 0; draw < Draws; draw++)
        {
            counts[sampler.Next(logits)]++;
        }

        var (frequency, probability) = (0.0, 0.0);
        for (var id = 0; id < logits.Length; id++)
        {
            (frequency, probability) = (frequency + ((double)counts[id] / Draws), probability + (exact[id] / total));
            Assert.InRange(frequency, probability - Allowed - 1e-5, probability + Allowed + 1e-5);
        }
    }

    // Of every kind: all different, few values with many equals, all equal, some that cannot be drawn; fewer and more than k.
    private static float[] Logits(Random random, int trial)
    {
        float[] odd = [float.NaN, float.NegativeInfinity, 0f, -0f, -1e30f, 3];
        var logits = Enumerable.Range(0, 1 + random.Next(trial % 3 == 0 ? 40 : 400)).Select(_ => (trial % 5) switch
        {
            0 => (float)(random.NextDouble() * 20),
            1 => random.Next(-4, 3),
            2 => -7.5f,
            3 => random.Next(4) == 0 ? odd[random.Next(odd.Length)] : (float)random.NextDouble(),
            _ => (float)(random.NextDouble() * 1e-3) - 80,
        }).ToArray();
        logits[random.Next(logits.Length)] = 3;
        return logits;
    }

    private static int Expected(float[] logits, TokenDraw draw, double temperature, int topK, double topP, double minP)
    {
        var (ranks, weights) = (new uint[logits.Length], new ulong[logits.Length]);
        TokenWeights.Fill(logits, logits.Where(logit => !float.IsNaN(logit)).Max(), (float)Math.Min(1 / temperature, float.MaxValue), ranks, weights);
        var sorted = Enumerable.Range(0, logits.Length).OrderByDescending(id => float.IsNaN(logits[id]) ? float.NegativeInfinity : logits[id]).ToList();
        if (topK > 0 && topK < sorted.Count)
        {
            var last = logits[sorted[topK - 1]];
            sorted = [.. sorted.TakeWhile((id, i) => i < topK || logits[id] == last)];
        }

        if (topP < 1)
        {
            // p as the exact fraction that a double is.
            var (p, one) = ((BigInteger)Math.ScaleB(topP, 1020), BigInteger.One << 1020);
            var total = sorted.Aggregate(BigInteger.Zero, (sum, id) => sum + weights[id]);
            var sum = BigInteger.Zero;
            sorted = [.. sorted.TakeWhile(id =>
            {
                var more = sum;
                sum += weights[id];
                return more * one < p * total;
            })];
        }

        var kept = sorted.Where(id => weights[id] > 0 && Math.ScaleB(weights[id], -TokenWeights.Exponent) >= minP).Order().ToList();
        var target = kept.Aggregate(BigInteger.Zero, (sum, id) => sum + weights[id]) * draw.Random >> 64;
        var reached = BigInteger.Zero;
        return kept.First(id => (reached += weights[id]) > target);
    }
}
