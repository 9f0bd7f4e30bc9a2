using FsCheck;
using FsCheck.Fluent;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Tests.Layers;

/// <summary>Attention of the decoder and of the towers has one result, that of <see cref="AttentionDefinition"/>, however it is cut.</summary>
public unsafe class AttentionTileTests
{
    private static readonly int[] HeadSizes = [4, 20, 32, 80, 128];

    // Keys around a block's end, rows around a tile's, heads that share a key head and heads that do not.
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(127, 3, 1)]
    [InlineData(128, 4, 2)]
    [InlineData(129, 1, 8)]
    [InlineData(300, 7, 5)]
    [InlineData(385, 130, 1)]
    public void Every_instruction_set_gives_what_the_definition_gives(int keys, int tokens, int heads)
    {
        foreach (var (size, format) in from size in HeadSizes from format in Enum.GetValues<KeyValueFormat>() select (size, format))
        {
            var (q, k, v) = (Values(tokens, heads * size, 1, 3), Values(keys, 2 * size, 2, 3), Values(keys, 2 * size, 3, 1));
            var cache = new KvCacheLayer(2, size, format);
            cache.Append(k, v, 0, keys);
            var (visible, scale) = (keys - tokens + 1, 1 / MathF.Sqrt(size));
            foreach (var target in CpuTargets.All(1))
            {
                var y = new Matrix(tokens, heads * size);
                fixed (float* queries = q.Data, output = y.Data)
                {
                    AttentionTile.Current.Attend(cache, 1, new(queries, q.Columns, size), new(output, y.Columns, size), tokens, heads, visible, visibleStep: 1, scale, target);
                }

                for (var row = 0; row < tokens * heads; row += Math.Max(1, tokens * heads / 25))
                {
                    var (token, column) = (row / heads, row % heads * size);
                    var expected = AttentionDefinition.Attend(q.Row(token).Slice(column, size).ToArray(), key => Head(k, key), key => Head(v, key), visible + token, scale);
                    Assert.Equal(expected, y.Row(token).Slice(column, size).ToArray());
                }

                float[] Head(Matrix x, int key) => [.. x.Row(key).Slice(size, size).ToArray().Select(value => format == KeyValueFormat.BFloat16 ? BFloat16.ToSingle(BFloat16.FromSingle(value)) : value)];
            }
        }
    }

    // A prompt in chunks of any length, a copy of its cache at any place, one token at a time, guesses that are taken back: the bits of the whole at once.
    [Theory]
    [InlineData(KeyValueFormat.Float32)]
    [InlineData(KeyValueFormat.BFloat16)]
    public void Neither_chunks_nor_copies_nor_guesses_change_a_bit(KeyValueFormat format)
        => Prop.ForAll(Gen.Choose(1, 170).ArrayOf().Where(chunks => chunks.Length is > 0 and <= 6).Zip(Gen.Choose(0, 400)).ToArbitrary(), test => Holds(test.Item1, test.Item2, format)).Check(Config.QuickThrowOnFailure.WithMaxTest(40).WithReplay(17, 23));

    private static bool Holds(int[] chunks, int kept, KeyValueFormat format)
    {
        var step = new AttendStep(6, 2, 36, AttentionSpan.Causal);
        var tokens = chunks.Sum();
        var (q, k, v) = (Values(tokens, 6 * 36, 4, 2), Values(tokens, 2 * 36, 5, 2), Values(tokens, 2 * 36, 6, 1));
        var (all, cache) = (new Matrix(tokens, 6 * 36), new KvCacheLayer(2, 36, format));
        Attend(cache, 0, tokens, all);

        var (parts, cut) = (new Matrix(tokens, 6 * 36), new KvCacheLayer(2, 36, format));
        kept %= tokens;
        cut.Append(Values(9, 2 * 36, 7, 2), Values(9, 2 * 36, 8, 2), 0, 9); // Of a sequence before.
        cut.CopyFrom(cache, kept);
        all.Span[..(kept * all.Columns)].CopyTo(parts.Span);
        for (var (start, chunk) = (kept, 0); start < tokens; chunk++)
        {
            cut.Append(Values(5, 2 * 36, 9, 2), Values(5, 2 * 36, 10, 2), 0, 5);
            cut.Truncate(start);
            var count = Math.Min(chunk < chunks.Length ? chunks[chunk] : 1, tokens - start);
            Attend(cut, start, count, parts);
            start += count;
        }

        return all.Span.SequenceEqual(parts.Span);

        void Attend(KvCacheLayer layer, int start, int count, Matrix y)
        {
            var (attention, output) = (new DecoderAttention(), new Matrix(count, y.Columns));
            attention.Begin(null!, new ReadOnlySpan<KvCacheLayer>(in layer));
            attention.Attend(step, Part(q), Part(k), Part(v), output);
            output.Span.CopyTo(y.Span[(start * y.Columns)..]);

            Matrix Part(Matrix x) => new(count, x.Columns, x.Data.AsSpan(start * x.Columns, count * x.Columns).ToArray());
        }
    }

    // −∞ is a score that overflowed: it weighs nothing, be it in a block of its own.
    [Fact]
    public void A_block_of_minus_infinity_weighs_nothing()
    {
        var (k, v) = (new Matrix(130, 4), Values(130, 4, 1, 1));
        k.Span[..(128 * 4)].Fill(-1e38f);
        var (cache, query, y) = (new KvCacheLayer(1, 4), new float[] { 1e38f, 0, 0, 0 }, new float[4]);
        cache.Append(k, v, 0, 130);
        fixed (float* q = query, output = y)
        {
            AttentionTile.Current.Attend(cache, 0, new(q, 4, 4), new(output, 4, 4), 1, 1, visible: 130, visibleStep: 0, scale: 1);
        }

        Assert.Equal(v.Row(128).ToArray().Zip(v.Row(129).ToArray(), (a, b) => (a + b) * 0.5f), y);
    }

    private static Matrix Values(int rows, int columns, int seed, float scale) => new(rows, columns, Oracle.Random(rows * columns, seed, scale));
}
