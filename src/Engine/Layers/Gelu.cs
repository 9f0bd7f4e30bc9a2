using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>GELU(x) = x · Φ(x) with the error function, and the two approximations under which models were trained, both x · σ(z).</summary>
public static class Gelu
{
    /// <summary>Replaces x by GELU(x) = max(x, 0) − ½|x|·erfc(|x|/√2), a form without cancellation.</summary>
    public static void Apply(Span<float> x)
    {
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            var lanes = Lanes.Load(x, i);
            var size = Vector512.Abs(lanes);
            var tail = Vector512.Create(0.5f) * size * ComplementaryErrorFunction(size * Vector512.Create(0.70710678f));
            Lanes.Store(Vector512.Max(lanes, Vector512<float>.Zero) - tail, x, i);
        }
    }

    /// <summary>Replaces x by a function of it.</summary>
    public static void Apply(Span<float> x, Activation function)
    {
        switch (function)
        {
            case Activation.TanhGelu:
                ApplyTanh(x);
                break;
            case Activation.QuickGelu:
                ApplyQuick(x);
                break;
            default:
                Apply(x);
                break;
        }
    }

    /// <summary>Replaces every value of <paramref name="x"/>.</summary>
    public static void Apply(Matrix x, Activation function = Activation.Gelu) => Rows.For(x.Rows, row => Apply(x.Row(row), function));

    // ½(1 + tanh(z/2)) = σ(z): z = 2·√(2/π)·(x + 0.044715x³), x · (a + b·x²) of two rounded factors.
    private static void ApplyTanh(Span<float> x)
    {
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            var lanes = Lanes.Load(x, i);
            var z = lanes * Vector512.FusedMultiplyAdd(lanes * lanes, Vector512.Create(0.07135481f), Vector512.Create(1.5957691f));
            Lanes.Store(lanes / (Vector512<float>.One + Exponential.Of(-z)), x, i);
        }
    }

    private static void ApplyQuick(Span<float> x)
    {
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            var lanes = Lanes.Load(x, i);
            Lanes.Store(lanes / (Vector512<float>.One + Exponential.Of(lanes * Vector512.Create(-1.702f))), x, i);
        }
    }

    /// <summary>erfc(x) for x ≥ 0, |error| ≤ 1.5e-7 before rounding: Abramowitz and Stegun, formula 7.1.26.</summary>
    private static Vector512<float> ComplementaryErrorFunction(Vector512<float> x)
    {
        var t = Vector512<float>.One / Vector512.FusedMultiplyAdd(Vector512.Create(0.3275911f), x, Vector512<float>.One);
        var p = Vector512.Create(1.061405429f);
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(-1.453152027f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(1.421413741f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(-0.284496736f));
        p = Vector512.FusedMultiplyAdd(p, t, Vector512.Create(0.254829592f));
        return p * t * Exponential.Of(-(x * x));
    }
}
