namespace MASQuant.Gemm.Cuda;

/// <summary>The heads of a decoder's attention.</summary>
/// <param name="Queries">Query heads.</param>
/// <param name="Keys">Key and value heads; divides <paramref name="Queries"/>.</param>
/// <param name="Size">d, the values of a head.</param>
internal readonly record struct HeadShape(int Queries, int Keys, int Size);
