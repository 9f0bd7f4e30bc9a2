namespace MASQuant.Engine.Layers;

/// <summary>Where rows of heads lie: those of a token side by side, token after token.</summary>
/// <param name="start">The first head of the first token, d values.</param>
/// <param name="tokenStride">Values from token to token.</param>
/// <param name="headSize">d.</param>
internal readonly unsafe struct HeadRows(float* start, nint tokenStride, int headSize)
{
    /// <summary>A row of a tile in which each token has <paramref name="heads"/>.</summary>
    public float* Row(int row, int heads) => start + (row / heads * tokenStride) + (row % heads * (nint)headSize);
}
