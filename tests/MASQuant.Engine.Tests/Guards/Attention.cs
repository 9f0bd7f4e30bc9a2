using MASQuant.Engine.Layers;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Tests.Guards;

namespace MASQuant.Engine.Tests.Guards;

/// <summary>Attention over a cache: queries, results, keys and values, and the working memory between them are guarded. Each is run twice, since the first run says how much working memory it asks for; both give the same.</summary>
internal static unsafe class Attention
{
    /// <summary>Both formats of keys and values, heads of any size, keys on both sides of a block's end.</summary>
    public static void Run(GuardedMemory memory, Action<string> say)
    {
        foreach (var (format, size, heads, keys, tokens) in
            from format in Enum.GetValues<KeyValueFormat>()
            from size in new[] { 1, 20, 32, 80 }
            from heads in new[] { 1, 3 }
            from keys in new[] { 1, 31, 129 }
            from tokens in new[] { 1, 17 }
            where tokens <= keys
            select (format, size, heads, keys, tokens))
        {
            foreach (var target in CpuTargets.All(1))
            {
                say($"{target.Level}, {format}, {heads} heads of {size}, {tokens} tokens, {keys} keys");
                var random = new RandomValues(keys + size);
                var (cache, tile) = (new KvCacheLayer(1, size, format), new AttentionTile());
                cache.Append(random.Matrix(keys, size), random.Matrix(keys, size), 0, keys);
                GuardedBuffers.Guard(memory, cache);
                var queries = random.Array(tokens * heads * size);
                var first = Attend();
                GuardedBuffers.Guard(memory, tile);
                Bits.AssertSame(first, Attend());

                float[] Attend()
                {
                    float* q = memory.Pointer<float>(queries), y = memory.Pointer<float>(queries.Length);
                    tile.Attend(cache, 0, new(q, heads * size, size), new(y, heads * size, size), tokens, heads, keys - tokens + 1, visibleStep: 1, 0.3f, target);
                    return new Span<float>(y, queries.Length).ToArray();
                }
            }
        }
    }
}
