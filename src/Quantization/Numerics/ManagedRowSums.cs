using System.Numerics;

namespace MASQuant.Quantization.Numerics;

/// <summary>Sums in managed memory, right into the total.</summary>
internal sealed class ManagedRowSums : IRowSums
{
    public static ManagedRowSums Instance { get; } = new();

    public RowSum<T> SumInto<T>(RealMatrix<T> total, bool lowerOnly)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => new Sum<T>(total, lowerOnly);

    private sealed class Sum<T>(RealMatrix<T> total, bool lowerOnly) : RowSum<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public override void Add(Matrix a, Matrix b) => RealGemm.AddRows(a.View(), b.View(), total.View, lowerOnly);

        public override void Finish()
        {
        }
    }
}
