using MASQuant.Diagnostics;

namespace MASQuant.Engine.Vision.Pixels;

/// <summary>What is thrown for images that cannot be read.</summary>
internal static class ImageErrors
{
    public static MASQuantException Corrupt(string? path, string what, Exception? cause = null) =>
        new(DiagnosticCodes.ImageCorrupt, path, $"The image cannot be read: {what}. Export it again from its source.", cause);

    public static MASQuantException NotSupported(string? path, string what) =>
        new(DiagnosticCodes.ImageNotSupported, path, $"The image cannot be read: {what}. Convert it to an ordinary PNG or JPEG.");

    /// <summary>Refuses extents from a file's header before anything is allocated for them.</summary>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="most">How many pixels are allowed.</param>
    /// <param name="file">The name in messages.</param>
    /// <exception cref="MASQuantException">No pixels (MASQ0302), or more than <paramref name="most"/> (MASQ0303).</exception>
    public static void CheckExtents(long width, long height, int most, string? file)
    {
        if (width < 1 || height < 1)
        {
            throw Corrupt(file, "its header gives it no pixels");
        }

        if (width > most || height > most || width * height > most)
        {
            throw new MASQuantException(DiagnosticCodes.ImageTooLarge, file, $"The image has {width} × {height} pixels; the limit is {most} (ModelLimits.ImagePixels). Scale it down, or raise the limit.");
        }
    }
}
