using MASQuant.Diagnostics;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>The M-RoPE positions of a sequence: time, height and width of every token. Text and audio advance all three together; a picture spreads height and width;
/// what follows a medium continues at its largest position plus one.</summary>
public sealed class PositionIds
{
    private readonly int[] _positions;

    private PositionIds(int[] positions, int next)
    {
        _positions = positions;
        Count = positions.Length / 3;
        Next = next;
    }

    /// <summary>The number of tokens.</summary>
    public int Count { get; }

    /// <summary>The position of the token after the last, in all three rows.</summary>
    public int Next { get; }

    /// <summary>The temporal position of each token.</summary>
    public ReadOnlySpan<int> Time => _positions.AsSpan(0, Count);

    /// <summary>The vertical position of each token.</summary>
    public ReadOnlySpan<int> Height => _positions.AsSpan(Count, Count);

    /// <summary>The horizontal position of each token.</summary>
    public ReadOnlySpan<int> Width => _positions.AsSpan(2 * Count, Count);

    /// <summary>The positions of an expanded sequence; <paramref name="media"/> are in the order of their placeholders.</summary>
    /// <exception cref="MASQuantException">MASQ0920: placeholders and media do not correspond.</exception>
    public static PositionIds Of(ReadOnlySpan<int> ids, IReadOnlyList<MediaExtent> media, ModelConfig config)
    {
        var positions = new int[checked(3 * ids.Length)];
        var next = 0;
        var taken = 0;
        for (var t = 0; t < ids.Length;)
        {
            if (PlaceholderTokens.ModalityOf(ids[t], config) == Modality.Text)
            {
                Put(positions, ids.Length, t++, next, next, next);
                next++;
                continue;
            }

            var extent = PlaceholderTokens.Take(media, taken++, ids[t]);
            CheckRun(ids[t..], extent);
            next = extent.Modality == Modality.Audio
                ? PutAudio(positions, ids.Length, t, next, extent)
                : PutVision(positions, ids.Length, t, next, extent);
            t += extent.Tokens;
        }

        PlaceholderTokens.CheckAllTaken(media, taken);
        return new PositionIds(positions, next);
    }

    /// <summary><paramref name="count"/> text tokens from position <paramref name="first"/> on.</summary>
    public static PositionIds Text(int first, int count)
    {
        var positions = new int[checked(3 * count)];
        for (var t = 0; t < count; t++)
        {
            Put(positions, count, t, first + t, first + t, first + t);
        }

        return new PositionIds(positions, first + count);
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

    private static int PutAudio(int[] positions, int count, int token, int start, MediaExtent extent)
    {
        for (var i = 0; i < extent.Tokens; i++)
        {
            Put(positions, count, token + i, start + i, start + i, start + i);
        }

        return start + extent.Tokens;
    }

    // FP32 arithmetic, truncated: what the reference computes for frames between whole positions.
    private static int PutVision(int[] positions, int count, int token, int start, MediaExtent extent)
    {
        var largest = start;
        for (var frame = 0; frame < extent.Frames; frame++)
        {
            var time = start + checked((int)((float)frame * (float)extent.SecondsPerFrame * (float)extent.PositionsPerSecond));
            largest = Math.Max(largest, time);
            for (var row = 0; row < extent.Rows; row++)
            {
                for (var column = 0; column < extent.Columns; column++)
                {
                    Put(positions, count, token++, time, start + row, start + column);
                }
            }
        }

        return Math.Max(largest, start + Math.Max(extent.Rows, extent.Columns) - 1) + 1;
    }

    private static void Put(int[] positions, int count, int token, int time, int height, int width)
    {
        positions[token] = time;
        positions[count + token] = height;
        positions[(2 * count) + token] = width;
    }
}
