using MASQuant.Engine.Audio;

namespace MASQuant.Cuda.Models;

/// <summary>A run of mel frames in windows that do not see each other; the last may be shorter.</summary>
/// <param name="Frames">All frames.</param>
/// <param name="Window">Frames of a window.</param>
/// <param name="Bounds">Where the rows of each window begin after the second convolution, and their end.</param>
internal sealed record AudioWindows(int Frames, int Window, int[] Bounds)
{
    /// <summary>The rows that the frames become.</summary>
    public int Rows => Bounds[^1];

    /// <summary>The place of each row in its window.</summary>
    public int[] Places => [.. Bounds.Zip(Bounds.Skip(1), (first, end) => Enumerable.Range(0, end - first)).SelectMany(places => places)];

    /// <summary>Cuts frames into windows.</summary>
    public static AudioWindows Of(int frames, int window)
    {
        var bounds = new List<int> { 0 };
        for (var first = 0; first < frames; first += window)
        {
            bounds.Add(bounds[^1] + AudioTowerEmbedding.Length(Math.Min(window, frames - first)));
        }

        return new AudioWindows(frames, window, [.. bounds]);
    }

    /// <summary>The three frames under a convolution's kernel, for each of its rows; −1 outside the window.</summary>
    public int[] Taps(int stride)
    {
        var taps = new List<int>();
        for (var first = 0; first < Frames; first += Window)
        {
            var length = Math.Min(Window, Frames - first);
            for (var centre = 0; centre < length; centre += stride)
            {
                taps.AddRange([centre == 0 ? -1 : first + centre - 1, first + centre, centre + 1 == length ? -1 : first + centre + 1]);
            }
        }

        return [.. taps];
    }
}
