namespace MASQuant.Formats.Models;

/// <summary>How a family's video processor takes frames of a video that has more: evenly, from the first to the last.</summary>
public class FrameSampling
{
    /// <summary>The fewest frames that a rate takes of a video that has them, as processors do.</summary>
    public const int Fewest = 4;

    /// <summary>The most frames that a rate takes unless a limit is given, as processors do.</summary>
    public const int Most = 768;

    /// <summary>How many frames are taken.</summary>
    /// <param name="total">The frames that there are, at least one.</param>
    /// <param name="rate">How many of them make a second.</param>
    /// <param name="perSecond">How many of a second are asked for; null: all.</param>
    /// <param name="most">The most that are taken; null: all, or <see cref="Most"/> where <paramref name="perSecond"/> is given.</param>
    public virtual int Count(int total, double rate, double? perSecond, int? most)
        => (int)Math.Min(perSecond is { } asked ? Math.Min(Math.Max(Math.Floor(total / rate * asked), Fewest), most ?? Most) : most ?? total, total);

    /// <summary>The numbers of <paramref name="count"/> frames, from 0, of <paramref name="total"/>.</summary>
    public virtual int[] Take(int total, int count)
    {
        var step = (double)(total - 1) / Math.Max(1, count - 1);
        return [.. Enumerable.Range(0, count).Select(i => i == count - 1 && count > 1 ? total - 1 : (int)Math.Round(i * step, MidpointRounding.ToEven))];
    }
}
