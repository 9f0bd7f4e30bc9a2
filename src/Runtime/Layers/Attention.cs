using System.Buffers;
using MASQuant.Gemm;
using MASQuant.Tensors;

namespace MASQuant.Layers;

/// <summary>Scaled dot-product attention, softmax(Q·Kᵀ/√d)·V for every head. Heads lie side by side in the columns: head h is columns h·d … (h+1)·d − 1. Query heads share key and value heads in equal runs.
/// How queries are cut into pieces of work never changes a result.</summary>
public static class Attention
{
    /// <summary>Queries of one piece of work; bounds the scores held at once.</summary>
    private const int PieceQueries = 64;

    /// <summary>Attention within segments: rows of one segment see all of it and nothing else.</summary>
    /// <param name="q">[T, heads·d].</param>
    /// <param name="k">[T, heads·d].</param>
    /// <param name="v">[T, heads·d].</param>
    /// <param name="heads">The number of heads.</param>
    /// <param name="bounds">Where segments begin, ascending, from 0; the last entry is T.</param>
    /// <param name="y">[T, heads·d], overwritten.</param>
    /// <param name="cancellationToken">Stops between pieces of work.</param>
    public static void Forward(Matrix q, Matrix k, Matrix v, int heads, ReadOnlySpan<int> bounds, Matrix y, CancellationToken cancellationToken = default)
    {
        var d = q.Columns / heads;
        var pieces = new List<Piece>();
        for (var segment = 1; segment < bounds.Length; segment++)
        {
            var (start, end) = (bounds[segment - 1], bounds[segment]);
            for (var first = start; first < end; first += PieceQueries)
            {
                for (var head = 0; head < heads; head++)
                {
                    var rows = Math.Min(PieceQueries, end - first);
                    pieces.Add(new Piece(rows, (first * q.Columns) + (head * d), q.Columns, (start * k.Columns) + (head * d), end - start, end - start, 0));
                }
            }
        }

        Run(pieces, q, k, v, d, y, cancellationToken);
    }

    /// <summary>Causal attention over a cache: query t sees keys 0 … <paramref name="offset"/> + t.</summary>
    /// <param name="q">[T, heads·d].</param>
    /// <param name="k">At least offset + T rows of [kvHeads·d]; the new tokens' keys are in place.</param>
    /// <param name="v">As <paramref name="k"/>.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="keyValueHeads">Key and value heads; divides <paramref name="heads"/>.</param>
    /// <param name="offset">Tokens in the cache before the first query.</param>
    /// <param name="y">[T, heads·d], overwritten.</param>
    /// <param name="cancellationToken">Stops between pieces of work.</param>
    public static void ForwardCausal(
        Matrix q, Matrix k, Matrix v, int heads, int keyValueHeads, int offset, Matrix y, CancellationToken cancellationToken = default)
    {
        var (d, sharing) = (q.Columns / heads, heads / keyValueHeads);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + q.Rows, Math.Min(k.Rows, v.Rows), nameof(offset));
        var pieces = new List<Piece>();
        if (q.Rows == 1)
        {
            // The heads that share keys are the rows of one product, so that a decode step reads the cache once.
            for (var head = 0; head < keyValueHeads; head++)
            {
                pieces.Add(new Piece(sharing, head * sharing * d, d, head * d, offset + 1, offset + 1, 0));
            }
        }

        for (var first = 0; first < q.Rows && q.Rows > 1; first += PieceQueries)
        {
            var rows = Math.Min(PieceQueries, q.Rows - first);
            for (var head = 0; head < heads; head++)
            {
                pieces.Add(new Piece(rows, (first * q.Columns) + (head * d), q.Columns, head / sharing * d, offset + first + rows, offset + first + 1, 1));
            }
        }

        Run(pieces, q, k, v, d, y, cancellationToken);
    }

    private static void Run(List<Piece> pieces, Matrix q, Matrix k, Matrix v, int d, Matrix y, CancellationToken cancellationToken)
    {
        Workers.For(pieces.Count, index =>
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                Run(pieces[index], q, k, v, d, y);
            }
        });
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static void Run(Piece piece, Matrix q, Matrix k, Matrix v, int d, Matrix y)
    {
        var (rows, keys) = (piece.Rows, piece.Keys);
        var size = checked(rows * keys);
        var rented = ArrayPool<float>.Shared.Rent(size);
        var scores = rented.AsSpan(0, size);
        FloatGemm.MultiplyNT(rows, keys, d, q.Span[piece.Query..], piece.QueryStride, k.Span[piece.Key..], k.Columns, scores, keys);
        for (var row = 0; row < rows; row++)
        {
            var line = scores.Slice(row * keys, keys);
            var visible = piece.Visible + (row * piece.VisibleStep);
            Softmax.Apply(line[..visible], 1f / MathF.Sqrt(d));
            line[visible..].Clear();
        }

        FloatGemm.MultiplyNN(rows, d, keys, scores, keys, v.Span[piece.Key..], v.Columns, y.Span[piece.Query..], piece.QueryStride);
        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>One product of queries and keys.</summary>
    /// <param name="Rows">Queries.</param>
    /// <param name="Query">Where the first query (and its output) starts.</param>
    /// <param name="QueryStride">From one query to the next.</param>
    /// <param name="Key">Where the first key and value start.</param>
    /// <param name="Keys">Keys that any of the queries sees.</param>
    /// <param name="Visible">Keys that the first query sees.</param>
    /// <param name="VisibleStep">How many more the next one sees.</param>
    private readonly record struct Piece(int Rows, int Query, int QueryStride, int Key, int Keys, int Visible, int VisibleStep);
}
