using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm;

/// <summary>Brings codes into the order of <see cref="PackingLayout"/>.</summary>
public static class CodePacking
{
    /// <summary>Packs codes [N, K] (row-major, −128…127; 4-bit: −8…7 symmetric or 0…15 when <paramref name="unsigned"/>).</summary>
    public static byte[] Pack(ReadOnlyMemory<sbyte> codes, int outputs, int inputs, int weightBits, bool unsigned = false)
    {
        var packed = LargeArray.Zeros<byte>(checked((int)PackingLayout.PackedBytes(outputs, inputs, weightBits)));
        var offset = unsigned ? 0 : PackingLayout.Int4Offset;
        Workers.For((outputs + PackingLayout.PanelOutputs - 1) / PackingLayout.PanelOutputs, panel =>
        {
            for (var n = panel * PackingLayout.PanelOutputs; n < Math.Min(outputs, (panel + 1) * PackingLayout.PanelOutputs); n++)
            {
                var row = codes.Span.Slice(n * inputs, inputs);
                for (var k = 0; k < row.Length; k++)
                {
                    if (weightBits == 8)
                    {
                        packed[PackingLayout.ByteIndex8(n, k, inputs)] = (byte)row[k];
                    }
                    else
                    {
                        packed[PackingLayout.ByteIndex4(n, k, inputs)] |= (byte)((row[k] + offset) << PackingLayout.Shift4(k));
                    }
                }
            }
        });
        return packed;
    }
}
