namespace MASQuant.Engine.Layers;

/// <summary>How much of a state stays and how much is written, for each value head: γ = exp(−exp(A) · softplus(a + offset)), β = σ(b).</summary>
/// <param name="decay">A, a value for each head.</param>
/// <param name="offset">What is added to a, a value for each head.</param>
internal sealed class DeltaGates(float[] decay, float[] offset)
{
    /// <summary>Above it softplus is the identity to the last bit, and its exponential would overflow.</summary>
    private const double Linear = 40;

    private readonly double[] _rates = [.. decay.Select(value => Elementary.Exp(value))];

    /// <summary>Computes both for one row. In FP64: a rounding of the exponent is a factor of a state that lives on.</summary>
    public void Apply(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> decays, Span<float> strengths)
    {
        for (var head = 0; head < decays.Length; head++)
        {
            var x = (double)a[head] + offset[head];
            var softplus = x > Linear ? x : Elementary.Log(1 + Elementary.Exp(x));
            decays[head] = (float)Elementary.Exp(-_rates[head] * softplus);
            strengths[head] = (float)(1 / (1 + Elementary.Exp(-b[head])));
        }
    }
}
