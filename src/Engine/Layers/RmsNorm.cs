using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Layers;

/// <summary>y = x / √(mean(x²) + ε) ⊙ gain, row by row.</summary>
public static class RmsNorm
{
    /// <summary>Normalizes one row; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public static void Apply(ReadOnlySpan<float> x, ReadOnlySpan<float> gain, float epsilon, Span<float> y)
    {
        var scale = Vector512.Create(InverseRootMeanSquare(x, epsilon));
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(x, i) * scale * Lanes.Load(gain, i), y, i);
        }
    }

    /// <summary>Normalizes every row of <paramref name="x"/> [T, K] into <paramref name="y"/>, which may be the same matrix.</summary>
    public static void Apply(Matrix x, float[] gain, float epsilon, Matrix y)
        => Rows.For(x.Rows, row => Apply(x.Row(row), gain, epsilon, y.Row(row)));

    /// <summary>1 / √(mean(x²) + ε).</summary>
    public static float InverseRootMeanSquare(ReadOnlySpan<float> x, float epsilon)
    {
        var squares = Vector512<float>.Zero;
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            var lanes = Lanes.Load(x, i);
            squares = Vector512.FusedMultiplyAdd(lanes, lanes, squares);
        }

        return 1f / MathF.Sqrt((Lanes.Sum(squares) / x.Length) + epsilon);
    }
}
