namespace MASQuant.Quantization.Options;

/// <summary>What the heavy steps of quantization are computed with. Bytes differ between kinds, within rounding.</summary>
public enum ComputeKind
{
    /// <summary>The processor, by this product's own code.</summary>
    Managed,

    /// <summary>The processor, by libtorch.</summary>
    TorchCpu,

    /// <summary>The first CUDA device, by libtorch.</summary>
    TorchCuda,
}

/// <summary>The words of <see cref="ComputeKind"/>.</summary>
public static class ComputeWords
{
    private static readonly string[] Words = ["Managed", "Torch:cpu", "Torch:cuda"];

    /// <summary>The words, for people.</summary>
    public static string All { get; } = string.Join(", ", Words);

    /// <summary>The word of a kind.</summary>
    public static string Of(ComputeKind kind) => Words[(int)kind];

    /// <summary>The kind of a word, in any case; null for others.</summary>
    public static ComputeKind? TryParse(string text)
        => Array.FindIndex(Words, word => word.Equals(text, StringComparison.OrdinalIgnoreCase)) is >= 0 and var place ? (ComputeKind)place : null;
}
