using System.Runtime.Intrinsics;

namespace MASQuant.Engine.Layers;

/// <summary>x · scale / √(Σx² + ε).</summary>
internal static class UnitLength
{
    /// <summary>Scales a vector in place.</summary>
    public static void Apply(Span<float> x, float epsilon, float scale)
    {
        var squares = Vector512<float>.Zero;
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            var lanes = Lanes.Load(x, i);
            squares = Vector512.FusedMultiplyAdd(lanes, lanes, squares);
        }

        var factor = Vector512.Create(scale / MathF.Sqrt(Lanes.Sum(squares) + epsilon));
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(x, i) * factor, x, i);
        }
    }
}
