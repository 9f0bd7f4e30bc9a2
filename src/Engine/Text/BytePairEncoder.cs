using System.Buffers;
using System.Collections.Concurrent;
using System.Text;

namespace MASQuant.Engine.Text;

/// <summary>Byte-pair encoding of one piece of text: from bytes, the adjacent pair of the lowest rank merges, the leftmost of equals, until none merges. Safe for concurrent use.</summary>
internal sealed class BytePairEncoder
{
    /// <summary>Pieces of more bytes are merged with a queue; below, scanning for the lowest rank is quicker.</summary>
    internal const int ShortPiece = 64;

    private const int CachedCharacters = 32;
    private const int CacheCapacity = 1 << 14;
    private readonly int[] _byteIds;
    private readonly MergeTable _merges;
    private readonly ConcurrentDictionary<string, int[]> _cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private int _cached;

    /// <param name="byteIds">The token of each byte, 256 of them.</param>
    /// <param name="merges">The merges.</param>
    public BytePairEncoder(int[] byteIds, MergeTable merges)
    {
        _byteIds = byteIds;
        _merges = merges;
        _lookup = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Appends the tokens of <paramref name="piece"/> to <paramref name="output"/>.</summary>
    public void Encode(ReadOnlySpan<char> piece, List<int> output)
    {
        if (_lookup.TryGetValue(piece, out var known))
        {
            output.AddRange(known.AsSpan());
            return;
        }

        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(piece.Length));
        var ids = ArrayPool<int>.Shared.Rent(bytes.Length);
        var count = Encoding.UTF8.GetBytes(piece, bytes);
        for (var i = 0; i < count; i++)
        {
            ids[i] = _byteIds[bytes[i]];
        }

        var merged = ids.AsSpan(0, Merge(ids.AsSpan(0, count)));
        output.AddRange(merged);
        if (piece.Length <= CachedCharacters && _cached < CacheCapacity && _cache.TryAdd(piece.ToString(), merged.ToArray()))
        {
            Interlocked.Increment(ref _cached);
        }

        ArrayPool<byte>.Shared.Return(bytes);
        ArrayPool<int>.Shared.Return(ids);
    }

    /// <summary>Merges <paramref name="ids"/> in place and returns how many are left.</summary>
    internal int Merge(Span<int> ids) => ids.Length <= ShortPiece ? MergeByScan(ids) : MergeByQueue(ids);

    /// <summary>The definition, quadratic in the length.</summary>
    internal int MergeByScan(Span<int> ids)
    {
        while (true)
        {
            var (best, at) = ((Rank: MergeTable.NoRank, Id: -1), -1);
            for (var i = 0; i + 1 < ids.Length; i++)
            {
                var merge = _merges[ids[i], ids[i + 1]];
                if (merge.Rank < best.Rank)
                {
                    (best, at) = (merge, i);
                }
            }

            if (at < 0)
            {
                return ids.Length;
            }

            ids[at] = best.Id;
            ids[(at + 2)..].CopyTo(ids[(at + 1)..]);
            ids = ids[..^1];
        }
    }

    /// <summary>The same in O(n log n): tokens form a linked list, pairs wait in a queue, and one whose tokens have changed since is passed over.</summary>
    internal int MergeByQueue(Span<int> ids)
    {
        var previous = new int[ids.Length];
        var next = new int[ids.Length];
        var queue = new PriorityQueue<(int Left, int Right, int Merged), long>();
        for (var i = 0; i < ids.Length; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1 < ids.Length ? i + 1 : -1);
            Offer(queue, ids, i, next[i]);
        }

        while (queue.TryDequeue(out var pair, out var priority))
        {
            var at = (int)(priority & int.MaxValue);
            var right = next[at];
            if (right < 0 || ids[at] != pair.Left || ids[right] != pair.Right)
            {
                continue;
            }

            ids[at] = pair.Merged;
            ids[right] = -1;
            next[at] = next[right];
            if (next[at] >= 0)
            {
                previous[next[at]] = at;
            }

            Offer(queue, ids, previous[at], at);
            Offer(queue, ids, at, next[at]);
        }

        var count = 0;
        for (var i = 0; i >= 0; i = next[i])
        {
            ids[count++] = ids[i];
        }

        return count;
    }

    // The priority is the rank, then the position of the left token.
    private void Offer(PriorityQueue<(int Left, int Right, int Merged), long> queue, ReadOnlySpan<int> ids, int left, int right)
    {
        if (left < 0 || right < 0)
        {
            return;
        }

        var (rank, merged) = _merges[ids[left], ids[right]];
        if (rank != MergeTable.NoRank)
        {
            queue.Enqueue((ids[left], ids[right], merged), ((long)rank << 32) | (uint)left);
        }
    }
}
