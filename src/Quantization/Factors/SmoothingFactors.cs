using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Factors;

/// <summary>The smoothing factors of one input group, one per modality. Immutable.</summary>
public sealed class SmoothingFactors
{
    private readonly SmoothingFactor[] _factors;

    /// <summary>Takes one factor per modality, indexed by <see cref="Modality"/>; null where the modality has none: it then meets the base factor, whose weight is the stored one.</summary>
    public SmoothingFactors(params SmoothingFactor?[] factors)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(factors.Length, ModalityMap.ModalityCount);
        var shared = factors[(int)Modality.Text] ?? throw new ArgumentException("The base modality needs a factor.", nameof(factors));
        _factors = [.. factors.Select(factor => factor ?? shared)];
    }

    /// <summary>K.</summary>
    public int Inputs => Base.Count;

    /// <summary>s_b, which shapes the stored weight: the factor of text.</summary>
    public SmoothingFactor Base => _factors[(int)Modality.Text];

    /// <summary>1/s_m for every modality.</summary>
    public IReadOnlyList<float[]> Inverses => [.. _factors.Select(factor => factor.Inverse)];

    /// <summary>How the runtime prepares the group's input.</summary>
    public InputTransform Input => new(Inverses, Base.RotationBlock) { Clips = Clips };

    /// <summary>Where the range of a token's codes ends (<see cref="InputTransform.Clips"/>).</summary>
    public IReadOnlyList<float>? Clips { get; private init; }

    /// <summary>The factor of one modality.</summary>
    public SmoothingFactor this[Modality modality] => _factors[(int)modality];

    /// <summary>One factor for every modality.</summary>
    public static SmoothingFactors Uniform(SmoothingFactor factor) => new(factor, factor, factor);

    /// <summary>The same factors, each followed by a rotation.</summary>
    /// <param name="block">A power of two that divides K; 0 for none.</param>
    public SmoothingFactors Rotated(int block) => new([.. _factors.Select(factor => factor.Rotated(block))]) { Clips = Clips };

    /// <summary>The same factors with clips.</summary>
    public SmoothingFactors Clipped(IReadOnlyList<float>? clips) => new([.. _factors]) { Clips = clips };

    /// <summary>No smoothing.</summary>
    public static SmoothingFactors Ones(int inputs) => Uniform(SmoothingFactor.Ones(inputs));
}
