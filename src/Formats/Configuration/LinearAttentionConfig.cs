namespace MASQuant.Formats.Configuration;

/// <summary>The extents of decoder layers that carry a state of constant size in place of keys and values.</summary>
public sealed record LinearAttentionConfig
{
    /// <summary>Which layers are such, from 0, ascending.</summary>
    public required IReadOnlyList<int> Layers { get; init; }

    /// <summary>Query and key heads; divides <see cref="ValueHeads"/>.</summary>
    public required int KeyHeads { get; init; }

    /// <summary>Value heads.</summary>
    public required int ValueHeads { get; init; }

    /// <summary>The width of a query or key head.</summary>
    public required int KeySize { get; init; }

    /// <summary>The width of a value head.</summary>
    public required int ValueSize { get; init; }

    /// <summary>Rows that the convolution sees.</summary>
    public required int ConvolutionWidth { get; init; }
}
