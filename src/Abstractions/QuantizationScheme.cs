namespace MASQuant;

/// <summary>How many bits weights and activations keep, for example <c>W4A8</c>; <see cref="All"/> lists what is supported.</summary>
/// <param name="WeightBits">8 or 4.</param>
/// <param name="ActivationBits">At most 8 (stored as int8, range ±<see cref="ActivationMax"/>), or 16 (not quantized).</param>
public readonly record struct QuantizationScheme(int WeightBits, int ActivationBits)
{
    /// <summary>8-bit weights and activations.</summary>
    public static QuantizationScheme W8A8 => new(8, 8);

    /// <summary>4-bit weights, 8-bit activations.</summary>
    public static QuantizationScheme W4A8 => new(4, 8);

    /// <summary>4-bit weights, 6-bit activations.</summary>
    public static QuantizationScheme W4A6 => new(4, 6);

    /// <summary>4-bit weights and activations.</summary>
    public static QuantizationScheme W4A4 => new(4, 4);

    /// <summary>4-bit asymmetric weights in groups of 128, activations not quantized.</summary>
    public static QuantizationScheme W4A16 => new(4, 16);

    /// <summary>Every supported scheme, in the order in which messages name them. Options, documentation and tests read this list.</summary>
    public static IReadOnlyList<QuantizationScheme> All { get; } = [W8A8, W4A8, W4A6, W4A4, W4A16];

    /// <summary>The largest code of a symmetric weight, 127 or 7; the smallest is −128 or −8.</summary>
    public int WeightMax => (1 << (WeightBits - 1)) - 1;

    /// <summary>The largest activation magnitude: 127 at 8 bits, 31 at 6, 7 at 4.</summary>
    public int ActivationMax => (1 << (ActivationBits - 1)) - 1;

    /// <summary>Whether activations are quantized to integers.</summary>
    public bool QuantizesActivations => ActivationBits < 16;

    /// <summary>Whether codes are unsigned, with a scale and a zero point per output and group of inputs.</summary>
    public bool HasZeroPoints => !QuantizesActivations;

    /// <summary>Whether a symmetric weight may have second-level scales: its codes leave room for them in 8 bits.</summary>
    public bool SupportsGroupScales => WeightBits == 4 && QuantizesActivations;

    /// <summary>Reads a name such as <c>W4A8</c>, in any letter case.</summary>
    public static bool TryParse(string? text, out QuantizationScheme scheme)
    {
        foreach (var candidate in All)
        {
            if (string.Equals(candidate.ToString(), text, StringComparison.OrdinalIgnoreCase))
            {
                scheme = candidate;
                return true;
            }
        }

        scheme = default;
        return false;
    }

    /// <summary>The name, for example <c>W4A8</c>.</summary>
    public override string ToString() => $"W{WeightBits}A{ActivationBits}";
}
