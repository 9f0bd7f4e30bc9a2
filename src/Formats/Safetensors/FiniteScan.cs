using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MASQuant.Formats.Safetensors;

/// <summary>Finds NaN and infinities: values whose exponent bits are all set.</summary>
internal static class FiniteScan
{
    /// <summary>The index of the first element that is not finite, or −1. Integers are always finite.</summary>
    public static int FirstNonFinite(ReadOnlySpan<byte> tensor, DataType type) => type switch
    {
        DataType.BF16 => FirstWithAll(MemoryMarshal.Cast<byte, ushort>(tensor), (ushort)0x7F80),
        DataType.F16 => FirstWithAll(MemoryMarshal.Cast<byte, ushort>(tensor), (ushort)0x7C00),
        DataType.F32 => FirstWithAll(MemoryMarshal.Cast<byte, uint>(tensor), 0x7F80_0000u),
        DataType.F64 => FirstWithAll(MemoryMarshal.Cast<byte, ulong>(tensor), 0x7FF0_0000_0000_0000ul),
        _ => -1,
    };

    private static int FirstWithAll<T>(ReadOnlySpan<T> values, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        var i = 0;
        var mask = Vector512.Create(exponent);
        while (i <= values.Length - Vector512<T>.Count && !Vector512.EqualsAny(Vector512.Create(values[i..]) & mask, mask))
        {
            i += Vector512<T>.Count;
        }

        for (; i < values.Length; i++)
        {
            if ((values[i] & exponent) == exponent)
            {
                return i;
            }
        }

        return -1;
    }
}
