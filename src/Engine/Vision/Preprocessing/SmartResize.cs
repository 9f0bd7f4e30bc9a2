using MASQuant.Diagnostics;
using MASQuant.Engine.Vision.Pixels;
using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Vision.Preprocessing;

/// <summary>Chooses the size at which an image enters the vision tower (the reference's <c>smart_resize</c>).</summary>
public static class SmartResize
{
    /// <summary>The largest ratio of an image's sides.</summary>
    public const int MaxAspectRatio = 200;

    /// <summary>The size nearest to <paramref name="width"/> × <paramref name="height"/> whose sides are multiples of <paramref name="factor"/> and whose area keeps the limits, at about the same ratio of sides.</summary>
    /// <exception cref="MASQuantException">MASQ0304: a side is over 200 times the other.</exception>
    public static (int Width, int Height) Choose(int width, int height, int factor, PixelLimits limits, string? path = null)
        => Choose(1, 1, width, height, factor, limits, path);

    /// <summary>As <see cref="Choose(int, int, int, PixelLimits, string?)"/> for a video's frames, all of which together keep the limits; frames smaller than the multiple are enlarged to it first.</summary>
    /// <param name="frames">How many there are.</param>
    /// <param name="framesPerPatch">Of so many the limits count multiples.</param>
    /// <param name="width">Of a frame.</param>
    /// <param name="height">Of a frame.</param>
    /// <param name="factor">Sides are its multiples.</param>
    /// <param name="limits">Of all frames together.</param>
    /// <param name="path">The name in messages.</param>
    /// <exception cref="MASQuantException">MASQ0304: a side is over 200 times the other.</exception>
    public static (int Width, int Height) ChooseVideo(int frames, int framesPerPatch, int width, int height, int factor, PixelLimits limits, string? path = null)
    {
        var enlarge = Math.Max(1, Math.Max((double)factor / width, (double)factor / height));
        var counted = (frames + framesPerPatch - 1L) / framesPerPatch * framesPerPatch;
        return Choose(frames, counted, (int)(width * enlarge), (int)(height * enlarge), factor, limits, path);
    }

    private static (int Width, int Height) Choose(long frames, long counted, int width, int height, int factor, PixelLimits limits, string? path)
    {
        if ((long)Math.Max(width, height) > (long)Math.Min(width, height) * MaxAspectRatio)
        {
            throw new MASQuantException(DiagnosticCodes.ImageShapeNotSupported, path, $"The image has {width} × {height} pixels; one side may be at most {MaxAspectRatio} times the other. Crop or pad it.");
        }

        var (w, h) = (Multiple(width, factor), Multiple(height, factor));
        if (counted * w * h > limits.Max)
        {
            var shrink = Math.Sqrt((double)frames * height * width / limits.Max);
            w = Math.Max(factor, (long)Math.Floor(width / shrink / factor) * factor);
            h = Math.Max(factor, (long)Math.Floor(height / shrink / factor) * factor);
        }
        else if (counted * w * h < limits.Min)
        {
            var grow = Math.Sqrt(limits.Min / ((double)frames * height * width));
            w = (long)Math.Ceiling(width * grow / factor) * factor;
            h = (long)Math.Ceiling(height * grow / factor) * factor;
        }

        ImageErrors.CheckExtents(w, h, int.MaxValue / 3, path);
        return ((int)w, (int)h);
    }

    // Python's round: halves go to the even multiple.
    private static long Multiple(int extent, int factor) => (long)Math.Round((double)extent / factor, MidpointRounding.ToEven) * factor;
}
