using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Layers;

/// <summary>The residual stream's addition.</summary>
public static class Residual
{
    /// <summary>x += branch, both [T, H].</summary>
    public static void Add(Matrix x, Matrix branch)
    {
        // At once where there are few rows: a closure would cost a decode step an allocation.
        if (x.Rows > Rows.PieceRows)
        {
            AddMany(x, branch);
        }
        else
        {
            Add(x.Span, branch.Span);
        }
    }

    /// <summary>x += branch.</summary>
    public static void Add(Span<float> x, ReadOnlySpan<float> branch)
    {
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(x, i) + Lanes.Load(branch, i), x, i);
        }
    }

    private static void AddMany(Matrix x, Matrix branch) => Rows.For(x.Rows, row => Add(x.Row(row), branch.Row(row)));
}
