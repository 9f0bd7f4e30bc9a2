using FsCheck;
using FsCheck.Fluent;
using MASQuant.Engine.Layers;

namespace MASQuant.Engine.Tests.Layers;

/// <summary>A segment's rows are, bit for bit, those of the segment alone: no other segment is seen, however rows are cut into pieces of work.</summary>
public class SegmentMaskTests
{
    private const int Heads = 2;
    private const int Width = Heads * 12;

    [Fact]
    public void Other_segments_change_nothing()
        => Prop.ForAll(Gen.Choose(1, 140).ArrayOf().Where(lengths => lengths.Length is > 0 and <= 6).ToArbitrary(), Holds).Check(Config.QuickThrowOnFailure.WithMaxTest(60).WithReplay(17, 23));

    private static bool Holds(int[] lengths)
    {
        int[] bounds = [0, .. lengths.Select((_, i) => lengths[..(i + 1)].Sum())];
        var (q, k, v) = (Values(bounds[^1], 1), Values(bounds[^1], 2), Values(bounds[^1], 3));
        var all = new Matrix(bounds[^1], Width);
        SegmentAttention.Apply(q, k, v, Heads, bounds, all);
        return lengths.Index().All(segment =>
        {
            var alone = new Matrix(segment.Item, Width);
            SegmentAttention.Apply(Part(q), Part(k), Part(v), Heads, [0, segment.Item], alone);
            return alone.Span.SequenceEqual(Part(all).Span);

            Matrix Part(Matrix rows) => new(segment.Item, Width, rows.Data.AsSpan(bounds[segment.Index] * Width, segment.Item * Width).ToArray());
        });
    }

    private static Matrix Values(int rows, int seed) => new(rows, Width, Oracle.Random(rows * Width, seed));
}
