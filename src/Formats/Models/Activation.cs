namespace MASQuant.Formats.Models;

/// <summary>What a block's MLP without a gate applies to each value. Configurations name them as transformers does.</summary>
public enum Activation
{
    /// <summary>x·Φ(x), with the error function (<c>gelu</c>).</summary>
    Gelu,

    /// <summary>½x·(1 + tanh(√(2/π)·(x + 0.044715x³))) (<c>gelu_pytorch_tanh</c>).</summary>
    TanhGelu,

    /// <summary>x·σ(1.702x) (<c>quick_gelu</c>).</summary>
    QuickGelu,
}
