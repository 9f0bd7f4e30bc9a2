namespace MASQuant.Cuda.Device;

/// <summary>The number of blocks along each axis; Y and Z are at most 65,535.</summary>
public readonly record struct GridSize(int X, int Y = 1, int Z = 1);
