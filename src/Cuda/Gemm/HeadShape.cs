namespace MASQuant.Cuda.Gemm;

/// <summary>The heads of a decoder's attention.</summary>
/// <param name="Queries">Query heads.</param>
/// <param name="Keys">Key and value heads; divides <paramref name="Queries"/>.</param>
/// <param name="Size">d, the values of a head.</param>
public readonly record struct HeadShape(int Queries, int Keys, int Size)
{
    private readonly int _rotated;

    /// <summary>How many of a head's values are rotated, the first; all of them unless it is said.</summary>
    public int Rotated
    {
        get => _rotated == 0 ? Size : _rotated;
        init => _rotated = value;
    }
}
