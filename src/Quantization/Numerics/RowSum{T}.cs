using System.Numerics;

namespace MASQuant.Quantization.Numerics;

/// <summary>Σ AᵀB over rows that come piece by piece.</summary>
public abstract class RowSum<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Adds rows.</summary>
    /// <param name="a">[t, m]; valid during the call.</param>
    /// <param name="b">[t, n]; valid during the call.</param>
    public abstract void Add(Matrix a, Matrix b);

    /// <summary>Leaves in the total what was added so far.</summary>
    public abstract void Finish();
}
