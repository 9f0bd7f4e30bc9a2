using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Layers;

/// <summary>SiLU(x) = x / (1 + e⁻ˣ), times a second factor: the gated MLP's product.</summary>
public static class Silu
{
    /// <summary>y = SiLU(gate) ⊙ up; <paramref name="y"/> may be either input.</summary>
    public static void Multiply(ReadOnlySpan<float> gate, ReadOnlySpan<float> up, Span<float> y)
    {
        for (var i = 0; i < gate.Length; i += Lanes.Count)
        {
            var x = Lanes.Load(gate, i);
            Lanes.Store(x / (Vector512<float>.One + Exponential.Of(-x)) * Lanes.Load(up, i), y, i);
        }
    }

    /// <summary>y = SiLU(gate) ⊙ up, all [T, K]; <paramref name="y"/> may be either input.</summary>
    public static void Multiply(Matrix gate, Matrix up, Matrix y)
    {
        // Row by row where there are few: a closure would cost a decode step an allocation.
        if (gate.Rows > Rows.PieceRows)
        {
            MultiplyMany(gate, up, y);
            return;
        }

        for (var row = 0; row < gate.Rows; row++)
        {
            Multiply(gate.Row(row), up.Row(row), y.Row(row));
        }
    }

    private static void MultiplyMany(Matrix gate, Matrix up, Matrix y) => Rows.For(gate.Rows, row => Multiply(gate.Row(row), up.Row(row), y.Row(row)));
}
