using System.Buffers;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Layers;

/// <summary>The towers' scaled dot-product attention, softmax(Q·Kᵀ/√d)·V: rows of one segment (a window, a frame, a chunk of sound) see all of it and nothing else.
/// Heads lie side by side in the columns. How queries are cut into pieces of work never changes a result.</summary>
internal static class SegmentAttention
{
    /// <summary>Queries of one piece of work; bounds the scores held at once.</summary>
    private const int PieceQueries = 64;

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
                    pieces.Add(new Piece(head * (q.Columns / heads), first, Math.Min(PieceQueries, bounds[segment] - first), bounds[segment - 1], bounds[segment]));
                }
            }
        }

        Workers.For(pieces.Count, index =>
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                Attend(pieces[index], q, k, v, q.Columns / heads, y);
            }
        });
        cancellationToken.ThrowIfCancellationRequested();
    }

    private static void Attend(Piece piece, Matrix q, Matrix k, Matrix v, int d, Matrix y)
    {
        var (rows, keys, stride) = (piece.Queries, piece.End - piece.Start, q.Columns);
        var (query, key) = ((piece.First * stride) + piece.Column, (piece.Start * stride) + piece.Column);
        var rented = LargeArray.Rent<float>(checked(rows * keys));
        var scores = rented.AsSpan(0, rows * keys);
        FloatGemm.MultiplyNT(rows, keys, d, q.Span[query..], stride, k.Span[key..], stride, scores, keys);
        for (var row = 0; row < rows; row++)
        {
            Softmax.Apply(scores.Slice(row * keys, keys), 1f / MathF.Sqrt(d));
        }

        FloatGemm.MultiplyNN(rows, d, keys, scores, keys, v.Span[key..], stride, y.Span[query..], stride);
        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>Queries of one head and segment.</summary>
    /// <param name="Column">Where the head's columns start.</param>
    /// <param name="First">The first query.</param>
    /// <param name="Queries">How many.</param>
    /// <param name="Start">The segment's first row.</param>
    /// <param name="End">The row after the segment's last.</param>
    private readonly record struct Piece(int Column, int First, int Queries, int Start, int End);
}
