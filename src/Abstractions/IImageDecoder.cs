namespace MASQuant;

/// <summary>Reads images of a format that models do not read themselves (<see cref="ModelOptions.ImageDecoders"/>). Threads share it.</summary>
/// <remarks>Files are a stranger's. Whatever a decoder throws for one becomes MASQ0302 with its message; that memory is short comes through.</remarks>
public interface IImageDecoder
{
    /// <summary>Whether this file is for it, by its first bytes alone. PNG, JPEG and PPM are never asked for.</summary>
    /// <param name="file">The file's bytes, which may be few.</param>
    bool Recognizes(ReadOnlySpan<byte> file);

    /// <summary>The extents of what <see cref="Decode"/> gives, by the file's header: nothing may be allocated for pixels here. The model holds them against <see cref="ModelLimits"/> before it asks for the pixels.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <returns>Pixels across and down.</returns>
    (int Width, int Height) ReadExtents(ReadOnlySpan<byte> file);

    /// <summary>The pixels: upright, on white where they are transparent, of an animation the first picture.</summary>
    /// <param name="file">The file's bytes, of which <see cref="ReadExtents"/> have been allowed.</param>
    RgbImage Decode(ReadOnlySpan<byte> file);
}
