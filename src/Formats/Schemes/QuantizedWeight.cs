namespace MASQuant.Formats.Schemes;

/// <summary>One stored weight W[N, K] in the packed layout that the kernels read, with everything that turns integer products back into numbers. Immutable; memory may be mapped from an artifact.</summary>
public sealed record QuantizedWeight
{
    /// <summary>How codes and scales represent the weight.</summary>
    public required QuantizationScheme Scheme { get; init; }

    /// <summary>N, the number of output features.</summary>
    public required int Outputs { get; init; }

    /// <summary>K, the number of input features.</summary>
    public required int Inputs { get; init; }

    /// <summary>The codes in <see cref="PackingLayout"/>'s order.</summary>
    public required ReadOnlyMemory<byte> Codes { get; init; }

    /// <summary>Symmetric schemes: N scales, one per output. W4A16: N × K/128 scales, group after group within an output.</summary>
    public required ReadOnlyMemory<float> Scales { get; init; }

    /// <summary>W4A16: N × K/128 zero points (0…15), in the order of <see cref="Scales"/>; empty otherwise.</summary>
    public ReadOnlyMemory<byte> ZeroPoints { get; init; }

    /// <summary>Second-level scales of a symmetric 4-bit weight, 1…<see cref="PackingLayout.MaxGroupScale"/>, in the order of <see cref="PackingLayout.GroupScaleIndex"/>; empty for none.
    /// A code times its group's scale is an integer of 8 bits, so <see cref="Scales"/> still apply once per output.</summary>
    public ReadOnlyMemory<byte> GroupScales { get; init; }

    /// <summary>Whether there are second-level scales.</summary>
    public bool HasGroupScales => !GroupScales.IsEmpty;

    /// <summary>N biases, or empty.</summary>
    public ReadOnlyMemory<float> Bias { get; init; }

    /// <summary>The patch of each modality, indexed by <see cref="Modality"/>; null where there is none. Text has none.</summary>
    public LowRankFactors?[] Patches { get; init; } = new LowRankFactors?[ModalityMap.ModalityCount];
}
