using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Layers;

/// <summary>x ⊙ σ(gate): the gate of an output.</summary>
internal static class Sigmoid
{
    /// <summary>Multiplies the rows of <paramref name="x"/> [T, K] in place.</summary>
    public static void Multiply(Matrix x, Matrix gate)
    {
        // Row by row where there are few: a closure would cost a decode step an allocation.
        if (x.Rows > Rows.PieceRows)
        {
            MultiplyMany(x, gate);
            return;
        }

        for (var row = 0; row < x.Rows; row++)
        {
            Multiply(x.Row(row), gate.Row(row));
        }
    }

    private static void MultiplyMany(Matrix x, Matrix gate) => Rows.For(x.Rows, row => Multiply(x.Row(row), gate.Row(row)));

    private static void Multiply(Span<float> x, ReadOnlySpan<float> gate)
    {
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(x, i) / (Vector512<float>.One + Exponential.Of(-Lanes.Load(gate, i))), x, i);
        }
    }
}
