namespace MASQuant.Cuda.Gemm;

/// <summary>The heads of a decoder's attention.</summary>
/// <param name="Queries">Query heads.</param>
/// <param name="Keys">Key and value heads; divides <paramref name="Queries"/>.</param>
/// <param name="Size">d, the values of a head.</param>
public readonly record struct HeadShape(int Queries, int Keys, int Size);
