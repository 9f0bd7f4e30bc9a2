using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Allocation;

namespace MASQuant.Quantization.Tests.Allocation;

public class RankAllocationTests
{
    private const int Step = 4;

    // Gains are whole numbers, so that sums are exact in any order.
    [Fact]
    public void No_other_ranks_within_the_budget_bring_more()
    {
        var random = new Random(1);
        for (var trial = 0; trial < 60; trial++)
        {
            var choices = Choices(random, count: 5, steps: 3, () => 16 * random.Next(1, 9));
            var budget = random.NextInt64(0, (long)(1.1 * choices.Sum(choice => choice.Gains.Length * Step * choice.RankBytes)));
            var ranks = RankAllocation.Allocate(choices, Step, budget);

            Assert.True(Bytes(choices, ranks) <= budget);
            Assert.Equal(Every(choices).Where(other => Bytes(choices, other) <= budget).Max(other => Gain(choices, other)), Gain(choices, ranks));
        }
    }

    // Odd extents and a large budget give more than 65536 units: each of the 5 costs is rounded up by less than one unit.
    [Fact]
    public void A_budget_of_many_units_is_kept_and_used()
    {
        var random = new Random(2);
        for (var trial = 0; trial < 40; trial++)
        {
            var choices = Choices(random, count: 5, steps: 3, () => random.Next(20_000, 60_000));
            var budget = random.NextInt64(0, choices.Sum(choice => choice.Gains.Length * Step * choice.RankBytes));
            var ranks = RankAllocation.Allocate(choices, Step, budget);

            Assert.True(Bytes(choices, ranks) <= budget);
            var unit = (budget + 65535) / 65536;
            var surely = budget - ((5 * 3) + 1) * unit; // Every step of every patch costs less than one unit more; the budget itself loses less than one.
            Assert.True(Gain(choices, ranks) >= Every(choices).Where(other => Bytes(choices, other) <= surely).Select(other => Gain(choices, other)).DefaultIfEmpty(0).Max());
        }
    }

    [Fact]
    public void What_brings_nothing_gets_nothing_and_no_budget_gives_no_ranks()
    {
        var linear = new DecoderLinear("mlp.up_proj", InputGroup.GateUp, 64, 64);
        RankChoice[] choices = [new(0, linear, Modality.Vision, [0, 0]), new(0, linear, Modality.Audio, [5, 1])];
        Assert.Equal([0, 8], RankAllocation.Allocate(choices, Step, long.MaxValue));
        Assert.Equal([0, 4], RankAllocation.Allocate(choices, Step, 2 * 4 * choices[0].RankBytes - 1));
        Assert.Equal([0, 0], RankAllocation.Allocate(choices, Step, 0));
        Assert.Equal([0, 0], RankAllocation.Allocate(choices, Step, 4 * choices[0].RankBytes - 1));
    }

    private static RankChoice[] Choices(Random random, int count, int steps, Func<int> extent)
        => [.. Enumerable.Range(0, count).Select(i => new RankChoice(i, new DecoderLinear("mlp.up_proj", InputGroup.GateUp, extent(), extent()), Modality.Vision,
            [.. Enumerable.Range(0, random.Next(0, steps + 1)).Select(_ => (double)random.Next(0, 100)).OrderDescending()]))];

    private static long Bytes(RankChoice[] choices, int[] ranks) => choices.Zip(ranks, (choice, rank) => rank * 2L * (choice.Linear.Outputs + choice.Linear.Inputs)).Sum();

    private static double Gain(RankChoice[] choices, int[] ranks) => choices.Zip(ranks, (choice, rank) => choice.Gains.Take(rank / Step).Sum()).Sum();

    private static IEnumerable<int[]> Every(RankChoice[] choices)
        => choices.Aggregate((IEnumerable<int[]>)[[]], (all, choice) => all.SelectMany(head => Enumerable.Range(0, choice.Gains.Length + 1).Select(steps => (int[])[.. head, steps * Step])));
}
