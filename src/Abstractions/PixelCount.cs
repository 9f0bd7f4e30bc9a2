namespace MASQuant;

/// <summary>A limit of pixels.</summary>
internal static class PixelCount
{
    /// <summary>Refuses a limit below one pixel.</summary>
    public static int? Require(int? pixels, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pixels ?? 1, 1, name);
        return pixels;
    }
}
