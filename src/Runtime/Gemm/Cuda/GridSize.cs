namespace MASQuant.Gemm.Cuda;

/// <summary>The number of blocks along each axis; Y and Z are at most 65,535.</summary>
internal readonly record struct GridSize(int X, int Y = 1, int Z = 1);
