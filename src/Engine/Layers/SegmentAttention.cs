using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Layers;

/// <summary>The towers' scaled dot-product attention, softmax(Q·Kᵀ/√d)·V: rows of one segment (a window, a frame, a chunk of sound) see all of it and nothing else.
/// Heads lie side by side in the columns. How queries are cut into pieces of work never changes a result.</summary>
internal static unsafe class SegmentAttention
{
    // Queries of one piece of work, for which a head's keys and values are put in order: a fiftieth of the work behind it.
    private const int PieceQueries = 1024;

    // A head's keys and values of one segment.
    [ThreadStatic]
    private static KvCacheLayer? _keys;

    /// <summary>Attends for every head and segment, on all <see cref="Workers"/>.</summary>
    /// <param name="q">[T, heads·d].</param>
    /// <param name="k">[T, heads·d].</param>
    /// <param name="v">[T, heads·d].</param>
    /// <param name="heads">The number of heads.</param>
    /// <param name="bounds">Where segments begin, ascending, from 0; the last entry is T.</param>
    /// <param name="y">[T, heads·d], overwritten.</param>
    /// <param name="cancellationToken">Stops between pieces of work.</param>
    /// <exception cref="ArgumentException">The last bound is not T.</exception>
    public static void Apply(Matrix q, Matrix k, Matrix v, int heads, ReadOnlySpan<int> bounds, Matrix y, CancellationToken cancellationToken = default)
    {
        if (bounds[^1] != q.Rows || k.Rows != q.Rows || v.Rows != q.Rows)
        {
            throw new ArgumentException($"Segments end at {bounds[^1]}; there are {q.Rows} queries, {k.Rows} keys and {v.Rows} values.", nameof(bounds));
        }

        var pieces = new List<Piece>();
        for (var segment = 1; segment < bounds.Length; segment++)
        {
            for (var first = bounds[segment - 1]; first < bounds[segment]; first += PieceQueries)
            {
                for (var head = 0; head < heads; head++)
                {
                    pieces.Add(new Piece(head * (q.Columns / heads), first, Math.Min(first + PieceQueries, bounds[segment]), bounds[segment - 1], bounds[segment]));
                }
            }
        }

        Workers.For(pieces.Count, index => Attend(pieces[index], q, k, v, q.Columns / heads, y, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static void Attend(Piece piece, Matrix q, Matrix k, Matrix v, int d, Matrix y, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return;
        }

        var keys = _keys = _keys?.HeadSize == d ? _keys : new KvCacheLayer(1, d);
        keys.Truncate(0);
        keys.Append(k, v, piece.Start, piece.End - piece.Start, piece.Column);
        var tile = AttentionTile.Tokens(heads: 1);
        fixed (float* queries = q.Data, output = y.Data)
        {
            for (var first = piece.First; first < piece.Last && !cancellationToken.IsCancellationRequested; first += tile)
            {
                var start = ((nint)first * q.Columns) + piece.Column;
                AttentionTile.Current.Attend(
                    keys, 0, new(queries + start, q.Columns, d), new(output + start, q.Columns, d), Math.Min(tile, piece.Last - first), heads: 1, keys.Length, visibleStep: 0, 1 / MathF.Sqrt(d));
            }
        }
    }

    /// <summary>Queries of one head and segment.</summary>
    /// <param name="Column">Where the head's columns start.</param>
    /// <param name="First">The first query.</param>
    /// <param name="Last">The query after the last.</param>
    /// <param name="Start">The segment's first row.</param>
    /// <param name="End">The row after the segment's last.</param>
    private readonly record struct Piece(int Column, int First, int Last, int Start, int End);
}
