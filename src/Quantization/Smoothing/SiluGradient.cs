namespace MASQuant.Quantization.Smoothing;

/// <summary>SiLU of one value, and its slope.</summary>
internal static class SiluGradient
{
    /// <summary>x·σ(x).</summary>
    public static float Silu(float x) => x / (1 + (float)Elementary.Exp(-x));

    /// <summary>σ(x)·(1 + x·(1 − σ(x))).</summary>
    public static float Slope(float x)
    {
        var sigmoid = 1 / (1 + (float)Elementary.Exp(-x));
        return sigmoid * (1 + (x * (1 - sigmoid)));
    }
}
