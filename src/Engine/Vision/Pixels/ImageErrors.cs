using MASQuant.Diagnostics;

namespace MASQuant.Engine.Vision.Pixels;

/// <summary>What is thrown for images that cannot be read.</summary>
internal static class ImageErrors
{
    public static MASQuantException Corrupt(string? path, string what, Exception? cause = null) =>
        new(DiagnosticCodes.ImageCorrupt, path, $"The image cannot be read: {what}. Export it again from its source.", cause);

    public static MASQuantException NotSupported(string? path, string what) =>
        new(DiagnosticCodes.ImageNotSupported, path, $"The image cannot be read: {what}. Convert it to an ordinary PNG or JPEG.");
}
