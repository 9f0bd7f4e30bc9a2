namespace MASQuant.Formats.Configuration;

/// <summary>The most that a configuration may ask for: well above any model, well below what overflows.</summary>
public static class ConfigLimits
{
    /// <summary>The width of a vector.</summary>
    public const int Width = 1 << 20;

    /// <summary>Attention heads.</summary>
    public const int Heads = 1 << 10;

    /// <summary>Blocks of a decoder or a tower.</summary>
    public const int Layers = 1 << 10;

    /// <summary>The largest prime factor of a Fourier window: a transform's time is the window's length times the sum of these.</summary>
    public const int FourierRadix = 31;

    /// <summary>How many Fourier windows a sample lies in.</summary>
    public const int FourierOverlap = 16;
}
