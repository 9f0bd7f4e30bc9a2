using System.Runtime.InteropServices;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>A weight as BF16 bytes, row-major, little-endian: mapped where it is stored so, rounded to nearest even otherwise.</summary>
internal static class BFloat16Tensor
{
    /// <summary>Reads a weight [N, K].</summary>
    /// <exception cref="MASQuantException">MASQ0107 missing, MASQ0108 another shape or type, MASQ0109 not finite.</exception>
    public static ReadOnlyMemory<byte> Read(ITensorSource source, string name, int outputs, int inputs)
    {
        var tensor = source.Find(name);
        if (tensor.Type == DataType.BF16 && tensor.Shape.SequenceEqual([outputs, inputs]))
        {
            source.RequireFinite(tensor);
            return source.Bytes(name);
        }

        var values = source.ReadMatrix(name, outputs, inputs).Span;
        var rounded = new ushort[values.Length];
        for (var i = 0; i < rounded.Length; i++)
        {
            rounded[i] = BFloat16.FromSingle(values[i]);
        }

        return MemoryMarshal.AsBytes<ushort>(rounded).ToArray();
    }
}
