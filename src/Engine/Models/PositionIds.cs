using MASQuant.Diagnostics;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>The M-RoPE positions of a sequence: time, height and width of every token. Text and audio advance all three together; a picture spreads height and width;
/// what follows a medium continues at its largest position plus one, or at that of the last run of one that is interleaved.</summary>
public sealed class PositionIds
{
    private readonly int[] _positions;

    private PositionIds(int count) => (_positions, Count) = (new int[checked(3 * count)], count);

    /// <summary>The number of tokens.</summary>
    public int Count { get; }

    /// <summary>The position of the token after the last, in all three rows: the largest of all plus one.</summary>
    public int Next { get; private set; }

    /// <summary>The temporal position of each token.</summary>
    public ReadOnlySpan<int> Time => _positions.AsSpan(0, Count);

    /// <summary>The vertical position of each token.</summary>
    public ReadOnlySpan<int> Height => _positions.AsSpan(Count, Count);

    /// <summary>The horizontal position of each token.</summary>
    public ReadOnlySpan<int> Width => _positions.AsSpan(2 * Count, Count);

    /// <summary>How many of the first <paramref name="count"/> tokens stand where those of another sequence do, up to the first that does not.</summary>
    internal int CommonLength(PositionIds other, int count)
        => Math.Min(Time[..count].CommonPrefixLength(other.Time), Math.Min(Height[..count].CommonPrefixLength(other.Height), Width[..count].CommonPrefixLength(other.Width)));

    /// <summary>The positions of an expanded sequence; <paramref name="media"/> are in the order of their placeholders.</summary>
    /// <exception cref="MASQuantException">MASQ0920: placeholders and media do not correspond.</exception>
    public static PositionIds Of(ReadOnlySpan<int> ids, IReadOnlyList<MediaExtent> media, ModelConfig config)
    {
        var positions = new PositionIds(ids.Length);
        var (next, start, taken) = (0, 0, 0);
        for (var t = 0; t < ids.Length;)
        {
            if (PlaceholderTokens.ModalityOf(ids[t], config) == Modality.Text)
            {
                positions.Put(t, next, next, next);

                // The two markers behind an interleaved medium stand at one position.
                next += t > 0 && PlaceholderTokens.ModalityOf(ids[t - 1], config) != Modality.Text && media[taken - 1].Run is not null ? 0 : 1;
                t++;
                continue;
            }

            var extent = PlaceholderTokens.Take(media, taken++, ids[t]);
            CheckRun(ids[t..], extent);
            if (extent.HasPlaceholder)
            {
                start = extent.Run is null ? next : positions.JoinMarkers(t);
            }

            next = extent.Modality == Modality.Audio ? positions.PutAudio(t, start, extent) : positions.PutVision(t, start, extent);
            t += extent.Tokens;
        }

        PlaceholderTokens.CheckAllTaken(media, taken);
        return positions;
    }

    /// <summary><paramref name="count"/> text tokens from position <paramref name="first"/> on.</summary>
    public static PositionIds Text(int first, int count)
    {
        var positions = new PositionIds(count) { Next = first };
        for (var t = 0; t < count; t++)
        {
            positions.Put(t, first + t, first + t, first + t);
        }

        return positions;
    }

    private static void CheckRun(ReadOnlySpan<int> ids, MediaExtent extent)
    {
        var run = ids.Length < extent.Tokens ? -1 : ids[..extent.Tokens].IndexOfAnyExcept(extent.PlaceholderId);
        if (extent.Tokens == 0 || ids.Length < extent.Tokens || run >= 0)
        {
            throw new MASQuantException(DiagnosticCodes.PlaceholderMismatch, null,
                $"A medium of {extent.Tokens} tokens does not fit the run of token {extent.PlaceholderId} in the sequence. Expand the placeholders with the same media that give the positions.");
        }
    }

    // The two markers before an interleaved medium, at t, stand at one position; the medium begins at the next.
    private int JoinMarkers(int t)
    {
        if (t < 2)
        {
            throw new MASQuantException(DiagnosticCodes.PlaceholderMismatch, null, "An interleaved medium lacks its two start markers. Write it as its family does.");
        }

        var position = _positions[t - 2];
        Put(t - 1, position, position, position);
        return position + 1;
    }

    private int PutAudio(int token, int start, MediaExtent extent)
    {
        var first = start + (extent.Run?.First ?? 0);
        for (var i = 0; i < extent.Tokens; i++)
        {
            Put(token + i, first + i, first + i, first + i);
        }

        return first + extent.Tokens;
    }

    // FP32 arithmetic, truncated: what the reference computes for frames between whole positions.
    private int PutVision(int token, int start, MediaExtent extent)
    {
        var (first, largest) = (extent.Run?.First ?? 0, 0);
        for (var i = first; i < first + extent.Tokens; i++)
        {
            var (frame, place) = Math.DivRem(i, extent.Rows * extent.Columns);
            var (row, column) = Math.DivRem(place, extent.Columns);
            var time = start + checked((int)((float)frame * (float)extent.SecondsPerFrame * (float)extent.PositionsPerSecond));
            Put(token++, time, start + row, start + column);
            largest = Math.Max(largest, Math.Max(time, start + Math.Max(row, column)));
        }

        return largest + 1;
    }

    private void Put(int token, int time, int height, int width)
    {
        _positions[token] = time;
        _positions[Count + token] = height;
        _positions[(2 * Count) + token] = width;
        Next = Math.Max(Next, Math.Max(time, Math.Max(height, width)) + 1);
    }
}
