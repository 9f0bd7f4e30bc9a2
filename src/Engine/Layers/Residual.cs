namespace MASQuant.Engine.Layers;

/// <summary>The residual stream's addition.</summary>
public static class Residual
{
    /// <summary>x += branch, both [T, H].</summary>
    public static void Add(Matrix x, Matrix branch) => Add(x.Span, branch.Span);

    /// <summary>x += branch.</summary>
    public static void Add(Span<float> x, ReadOnlySpan<float> branch)
    {
        for (var i = 0; i < x.Length; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(x, i) + Lanes.Load(branch, i), x, i);
        }
    }
}
