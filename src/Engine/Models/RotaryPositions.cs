using MASQuant.Engine.Layers;

namespace MASQuant.Engine.Models;

/// <summary>Prepares rotary tables for the positions of prompts.</summary>
public static class RotaryPositions
{
    /// <summary>Prepares all of <paramref name="positions"/>.</summary>
    public static void Set(this RotaryTable rotary, PositionIds positions) => rotary.Set(positions.Time, positions.Height, positions.Width);

    /// <summary>Prepares <paramref name="count"/> tokens of <paramref name="positions"/> from <paramref name="start"/> on.</summary>
    public static void Set(this RotaryTable rotary, PositionIds positions, int start, int count)
        => rotary.Set(positions.Time.Slice(start, count), positions.Height.Slice(start, count), positions.Width.Slice(start, count));
}
