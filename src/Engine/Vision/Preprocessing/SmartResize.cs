using MASQuant.Diagnostics;
using MASQuant.Engine.Vision.Pixels;
using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Vision.Preprocessing;

/// <summary>Chooses the size at which an image enters the vision tower (<c>smart_resize</c> of Qwen2-VL).</summary>
public static class SmartResize
{
    /// <summary>The largest ratio of an image's sides.</summary>
    public const int MaxAspectRatio = 200;

    /// <summary>The size nearest to <paramref name="width"/> × <paramref name="height"/> whose sides are multiples of <paramref name="factor"/> and whose area keeps the limits, at about the same ratio of sides.</summary>
    /// <exception cref="MASQuantException">MASQ0304: a side is over 200 times the other.</exception>
    public static (int Width, int Height) Choose(int width, int height, int factor, PixelLimits limits, string? path = null)
    {
        if ((long)Math.Max(width, height) > (long)Math.Min(width, height) * MaxAspectRatio)
        {
            throw new MASQuantException(DiagnosticCodes.ImageShapeNotSupported, path, $"The image has {width} × {height} pixels; one side may be at most {MaxAspectRatio} times the other. Crop or pad it.");
        }

        var (w, h) = (Multiple(width, factor), Multiple(height, factor));
        if (w * h > limits.Max)
        {
            var shrink = Math.Sqrt((double)height * width / limits.Max);
            w = Math.Max(factor, (long)Math.Floor(width / shrink / factor) * factor);
            h = Math.Max(factor, (long)Math.Floor(height / shrink / factor) * factor);
        }
        else if (w * h < limits.Min)
        {
            var grow = Math.Sqrt(limits.Min / ((double)height * width));
            w = (long)Math.Ceiling(width * grow / factor) * factor;
            h = (long)Math.Ceiling(height * grow / factor) * factor;
        }

        RgbImage.CheckExtents(w, h, path);
        return ((int)w, (int)h);
    }

    // Python's round: halves go to the even multiple.
    private static long Multiple(int extent, int factor) => (long)Math.Round((double)extent / factor, MidpointRounding.ToEven) * factor;
}
