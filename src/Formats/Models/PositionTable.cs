namespace MASQuant.Formats.Models;

/// <summary>Learned positions of a vision tower: a square of them, which is stretched over every grid of patches, [side², H].</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Side">Positions along a side.</param>
public sealed record PositionTable(string Name, int Side);
