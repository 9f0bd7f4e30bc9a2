using MASQuant.Engine.Text;

namespace MASQuant.Engine.Tests.Text;

public class BytePairEncoderTests
{
    [Fact]
    public void The_lowest_rank_merges_first_and_the_leftmost_of_equals()
    {
        // 0 1 → 10 and 1 2 → 12 overlap in 0 1 2; 1 1 → 11 overlaps itself in 1 1 1.
        var merges = new MergeTable();
        merges.Add(5, 0, 1, 10);
        merges.Add(3, 1, 2, 12);
        merges.Add(4, 1, 1, 11);
        merges.Add(9, 11, 1, 111);
        Assert.Equal([0, 12], Merge(merges, [0, 1, 2], queue: false));
        Assert.Equal([10, 0], Merge(merges, [0, 1, 0], queue: false));
        Assert.Equal([111, 0], Merge(merges, [1, 1, 1, 0], queue: false));
    }

    [Fact]
    public void The_queue_merges_as_the_scan()
    {
        var random = new Random(2);
        for (var trial = 0; trial < 300; trial++)
        {
            // Few tokens and many merges, so that merges overlap, chain and make the same token in several ways.
            var tokens = random.Next(2, 12);
            var merges = new MergeTable();
            for (var rank = 0; rank < 3 * tokens; rank++)
            {
                merges.Add(rank, random.Next(tokens), random.Next(tokens), random.Next(tokens));
            }

            int[] ids = [.. Enumerable.Range(0, random.Next(1, 200)).Select(_ => random.Next(tokens))];
            Assert.Equal(Merge(merges, ids, queue: false), Merge(merges, ids, queue: true));
        }
    }

    [Fact]
    public void A_long_piece_merges_too()
    {
        const int repeats = BytePairEncoder.ShortPiece;
        Assert.Equal(Enumerable.Repeat(257, repeats), TinyTokenizer.Json().Load().Encode(string.Concat(Enumerable.Repeat("abc", repeats))));
    }

    private static int[] Merge(MergeTable merges, int[] ids, bool queue)
    {
        var encoder = new BytePairEncoder(new int[256], merges);
        var copy = ids.ToArray();
        return copy[..(queue ? encoder.MergeByQueue(copy) : encoder.MergeByScan(copy))];
    }
}
