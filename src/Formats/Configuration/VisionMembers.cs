namespace MASQuant.Formats.Configuration;

/// <summary>What the configurations of vision towers have in common.</summary>
internal static class VisionMembers
{
    /// <summary>Refuses heads that do not divide the tower's width, or whose values the rotation of rows and columns cannot pair.</summary>
    /// <param name="section">The tower's members.</param>
    /// <param name="widthKey">The member that says the width.</param>
    /// <param name="width">The width.</param>
    /// <param name="heads"><c>num_heads</c>.</param>
    /// <exception cref="MASQuantException">MASQ0203.</exception>
    public static void RequireVisionHeads(this ConfigSection section, string widthKey, int width, int heads)
    {
        if (width % heads != 0 || width / heads % 4 != 0)
        {
            throw section.Unsupported("num_heads", $"is {heads}; it must divide {widthKey} {width} into heads whose width is a multiple of 4");
        }
    }

    /// <summary>Refuses another rotation than by rows and columns of patches, which configurations name since transformers 5.</summary>
    /// <param name="section">The tower's members.</param>
    /// <param name="theta">The base of the frequencies.</param>
    /// <exception cref="MASQuantException">MASQ0203.</exception>
    public static void RequireAxialRotary(this ConfigSection section, double theta)
    {
        if (section.Section("rope_parameters") is { } rope)
        {
            rope.RequireText("rope_type", "axial");
            rope.RequireNumber("rope_theta", theta);
        }
    }
}
