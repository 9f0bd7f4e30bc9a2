using MASQuant.Diagnostics;
using MASQuant.Engine.Generation;

namespace MASQuant.Engine.Tests.Generation;

public class SamplerTests
{
    private const int Draws = 100_000;

    [Fact]
    public void Greedy_takes_the_lowest_id_of_the_largest()
    {
        var sampler = new Sampler(new GenerationOptions());
        var random = new Random(6);
        for (var length = 1; length < 70; length++)
        {
            // Few values, so that there are equals.
            var logits = Enumerable.Range(0, length).Select(_ => (float)random.Next(-3, 1)).ToArray();
            Assert.Equal(Array.IndexOf(logits, logits.Max()), sampler.Next(logits));
        }
    }

    // Weights are whole, so the least that is kept is rounded up: what falls short by less than one is dropped.
    [Fact]
    public void What_falls_short_of_minimum_p_by_the_least_is_never_drawn()
    {
        float[] logits = [0, -0.5f];
        var weights = new ulong[2];
        TokenWeights.Fill(logits, 0, 1, new uint[2], weights);
        Assert.Contains(1, Drawn(weights[1]));
        Assert.DoesNotContain(1, Drawn(weights[1] + 0.25));

        IEnumerable<int> Drawn(double weight)
        {
            var sampler = new Sampler(new GenerationOptions { Temperature = 1, MinP = Math.ScaleB(weight, -TokenWeights.Exponent) });
            return [.. Enumerable.Range(0, 100).Select(_ => sampler.Next(logits))];
        }
    }

    [Fact]
    public void Not_a_number_is_never_chosen()
    {
        for (var id = 0; id < 40; id++)
        {
            var logits = Enumerable.Repeat(float.NaN, 40).ToArray();
            logits[id] = -5;
            logits[39 - id] = float.NegativeInfinity;
            Assert.Equal(id, new Sampler(new GenerationOptions()).Next(logits));
            Assert.Equal(id, new Sampler(new GenerationOptions { Temperature = 1 }).Next(logits));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.PositiveInfinity)]
    public void Logits_without_a_finite_largest_are_an_error(float value)
    {
        var error = Assert.Throws<MASQuantException>(() => new Sampler(new GenerationOptions()).Next([value, value]));
        Assert.Equal(DiagnosticCodes.LogitsNotFinite, error.Code);
    }

    // Expected probabilities by the definition in FP64: softmax of the kept logits over the temperature.
    [Theory]
    [InlineData(1, 0, 1, new[] { 0, 1, 2, 3, 4, 5 })]
    [InlineData(2.5, 0, 1, new[] { 0, 1, 2, 3, 4, 5 })]
    [InlineData(0.5, 0, 1, new[] { 0, 1, 2, 3, 4, 5 })]
    [InlineData(1, 1, 1, new[] { 3 })]
    [InlineData(1, 2, 1, new[] { 1, 3, 4 })] // Ids 1 and 4 are equal: the second place is shared.
    [InlineData(1, 0, 0.3, new[] { 3 })] // Softmax: id 3 has 0.456, 1 and 4 have 0.168 each, 0 has 0.102, 2 has 0.062, 5 has 0.046.
    [InlineData(1, 0, 0.5, new[] { 1, 3 })] // Of equals the lower id comes first.
    [InlineData(1, 0, 0.7, new[] { 1, 3, 4 })]
    [InlineData(1, 3, 0.6, new[] { 1, 3 })] // p is of what the top k keep: 0.456 of 0.791 is 0.576.
    [InlineData(3, 0, 0.5, new[] { 1, 3, 4 })] // The temperature comes first: 0.249 and twice 0.178.
    public void SamplesFollowTheDistribution(double temperature, int topK, double topP, int[] kept)
    {
        float[] logits = [0.5f, 1f, 0f, 2f, 1f, -0.3f];
        var weights = logits.Select((l, id) => kept.Contains(id) ? Math.Exp(l / temperature) : 0).ToArray();
        var sampler = new Sampler(new GenerationOptions { Temperature = temperature, TopK = topK, TopP = topP, Seed = 7 });
        var counts = new int[logits.Length];
        for (var draw = 0; draw < Draws; draw++)
        {
            counts[sampler.Next(logits)]++;
        }

        // Hoeffding: a frequency of n draws is off by t or more with probability ≤ 2·exp(−2nt²). With t = 0.0125 that is 6e-14.
        for (var id = 0; id < logits.Length; id++)
        {
            var expected = weights[id] / weights.Sum();
            Assert.InRange((double)counts[id] / Draws, expected - 0.0125, expected + 0.0125);
            Assert.True(kept.Contains(id) || counts[id] == 0);
        }
    }

    [Fact]
    public void Top_p_keeps_what_the_definition_keeps()
    {
        var random = new Random(8);
        for (var trial = 0; trial < 50; trial++)
        {
            var logits = Enumerable.Range(0, 300).Select(_ => (float)(random.NextDouble() * 12)).ToArray();
            var p = random.NextDouble();
            var total = logits.Sum(l => Math.Exp(l));
            var allowed = new HashSet<int>();
            var sum = 0.0;
            foreach (var (logit, id) in logits.Select((l, id) => (l, id)).OrderByDescending(t => t.l))
            {
                if (sum >= p * total)
                {
                    break;
                }

                allowed.Add(id);
                sum += Math.Exp(logit);
            }

            // Every allowed token comes at last; a token of probability q is missed n times with probability (1 − q)ⁿ.
            var sampler = new Sampler(new GenerationOptions { Temperature = 1, TopP = p, Seed = (ulong)trial });
            var seen = Enumerable.Range(0, 2000).Select(_ => sampler.Next(logits)).ToHashSet();
            Assert.Subset(allowed, seen);
            Assert.Superset(allowed.Where(id => Math.Exp(logits[id]) / sum > 0.02).ToHashSet(), seen); // 0.98²⁰⁰⁰ = 3e-18
        }
    }

    [Fact]
    public void The_seed_decides()
    {
        int[] Draw(ulong seed)
        {
            var sampler = new Sampler(new GenerationOptions { Temperature = 1, Seed = seed });
            return [.. Enumerable.Range(0, 50).Select(_ => sampler.Next(new float[1000]))];
        }

        Assert.Equal(Draw(1), Draw(1));
        Assert.NotEqual(Draw(1), Draw(2));
    }

    [Fact]
    public void Sampling_allocates_nothing_per_token()
    {
        var logits = Enumerable.Range(0, 1000).Select(i => i % 17 * 0.3f).ToArray();
        var sampler = new Sampler(new GenerationOptions { Temperature = 0.8, TopK = 100, TopP = 0.9, MinP = 0.1, RepetitionPenalty = 1.1, PresencePenalty = 0.1 });
        sampler.Next(logits);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            sampler.Next(logits);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    // The published test vectors of both generators (rand_xoshiro; Rosetta Code for SplitMix64).
    [Fact]
    public void The_random_sequence_is_the_documented_one()
    {
        var random = new RandomSequence(1, 2, 3, 4);
        Assert.Equal(
            [11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600],
            Enumerable.Range(0, 6).Select(_ => random.Next()));
        Assert.Equal([6457827717110365317, 3203168211198807973, 9817491932198370423], Enumerable.Range(1, 3).Select(n => RandomSequence.Mix(1234567, (ulong)n)));
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.InRange(random.NextUnit(), 0, 1 - 1e-16));
    }
}
