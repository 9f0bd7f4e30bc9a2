using System.Numerics;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>Brings L1 and L2 to the precision they are stored in.</summary>
internal static class FactorRounding
{
    /// <summary>Gives column i of L1 and row i of L2 the same norm, so that neither leaves the range of the format, then rounds.</summary>
    /// <param name="l1">[K, r]; overwritten.</param>
    /// <param name="l2">[r, N]; overwritten.</param>
    /// <param name="toFloat16">Whether to round to FP16; otherwise to FP32.</param>
    public static LowRankFactors Round<T>(RealMatrix<T> l1, RealMatrix<T> l2, bool toFloat16)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<T> scales = new T[l1.Columns];
        for (var i = 0; i < scales.Length; i++)
        {
            var columnEnergy = T.Zero;
            for (var k = 0; k < l1.Rows; k++)
            {
                columnEnergy += l1[k, i] * l1[k, i];
            }

            var column = T.Sqrt(columnEnergy);
            var row = T.Sqrt(Lanes.Dot<T>(l2.Row(i), l2.Row(i)));
            scales[i] = column > T.Zero && row > T.Zero ? T.Sqrt(row / column) : T.One;
            Lanes.Scale(T.One / scales[i], l2.Row(i));
        }

        for (var k = 0; k < l1.Rows; k++)
        {
            for (var i = 0; i < scales.Length; i++)
            {
                l1[k, i] *= scales[i];
            }
        }

        var factors = new LowRankFactors(l1.ToMatrix(), l2.ToMatrix());
        if (toFloat16)
        {
            Float16.Round(factors.L1.Span);
            Float16.Round(factors.L2.Span);
        }

        return factors;
    }
}
