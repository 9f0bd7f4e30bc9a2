namespace MASQuant.Quantization.Numerics;

/// <summary>How accurate a <see cref="RandomizedSvd"/> is.</summary>
public sealed record RandomizedSvdOptions
{
    /// <summary>Dimensions of the searched subspace beyond the rank.</summary>
    public int Oversampling { get; init; } = 10;

    /// <summary>Power iterations that are always made.</summary>
    public int PowerIterations { get; init; } = 2;

    /// <summary>Power iterations after which the search ends in any case.</summary>
    public int MaxPowerIterations { get; init; } = 60;

    /// <summary>The search ends when an iteration changes the rank-r product by at most this share of its norm.</summary>
    public double Tolerance { get; init; } = 1e-5;

    /// <summary>The seed of the random start.</summary>
    public ulong Seed { get; init; } = 0x4D415351;
}
