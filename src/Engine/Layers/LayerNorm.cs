using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Layers;

/// <summary>y = (x − mean) / √(variance + ε) ⊙ gain + bias, row by row.</summary>
public static class LayerNorm
{
    /// <summary>Normalizes one row; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public static void Apply(ReadOnlySpan<float> x, ReadOnlySpan<float> gain, ReadOnlySpan<float> bias, float epsilon, Span<float> y)
    {
        var mean = Mean(x);
        var deviation = MathF.Sqrt(Variance(x, mean) + epsilon);
        var (shift, scale) = (Vector512.Create(mean), Vector512.Create(1f / deviation));
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            var normal = (Lanes.Load(x, i) - shift) * scale;
            Lanes.Store(Vector512.FusedMultiplyAdd(normal, Lanes.Load(gain, i), Lanes.Load(bias, i)), y, i);
        }
    }

    /// <summary>Normalizes every row of <paramref name="x"/> [T, K] into <paramref name="y"/>, which may be the same matrix.</summary>
    public static void Apply(Matrix x, float[] gain, float[] bias, float epsilon, Matrix y)
        => Rows.For(x.Rows, row => Apply(x.Row(row), gain, bias, epsilon, y.Row(row)));

    private static float Mean(ReadOnlySpan<float> x)
    {
        var sum = Vector512<float>.Zero;
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            sum += Lanes.Load(x, i);
        }

        return Lanes.Sum(sum) / x.Length;
    }

    // The variance is taken around the mean in a second pass: the difference of moments would cancel.
    private static float Variance(ReadOnlySpan<float> x, float mean)
    {
        var squares = Vector512<float>.Zero;
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            var distance = Lanes.Load(x, i, fill: mean) - Vector512.Create(mean);
            squares = Vector512.FusedMultiplyAdd(distance, distance, squares);
        }

        return Lanes.Sum(squares) / x.Length;
    }
}
