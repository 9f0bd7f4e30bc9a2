namespace MASQuant.Formats.Schemes;

/// <summary>What an input group does to its input before it is quantized and multiplied: z = (x ⊙ 1/s_m)·H for a token of modality m (paper Eq. 29, first factor, and a rotation behind it).</summary>
/// <param name="InverseSmoothing">1/s_m, K values for each modality, indexed by <see cref="Modality"/>; an empty array stands for ones.</param>
/// <param name="RotationBlock">H is block-diagonal of normalized Sylvester–Hadamard matrices of so many inputs, a power of two that divides K; 0: no rotation.</param>
public sealed record InputTransform(IReadOnlyList<float[]> InverseSmoothing, int RotationBlock = 0)
{
    /// <summary>The share of a token's largest |z| at which the range of its codes ends, in (0, 1], for each modality, indexed by <see cref="Modality"/>: what lies beyond becomes the last code. Null: nothing is clipped.</summary>
    public IReadOnlyList<float>? Clips { get; init; }

    /// <summary><see cref="Clips"/> of one modality; 1 without.</summary>
    public float ClipOf(Modality modality) => Clips?[(int)modality] ?? 1;

    /// <summary>Nothing is done.</summary>
    public static InputTransform None { get; } = new(new float[ModalityMap.ModalityCount][] { [], [], [] });
}
