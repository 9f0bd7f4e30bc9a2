using System.Runtime.InteropServices;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>A weight as BF16 bytes, row-major, little-endian: mapped where it is stored so, rounded to nearest even otherwise. What is stored at 8 bits is widened.</summary>
internal static class BFloat16Tensor
{
    private const int PieceRows = 64; // whole panels of the kernels

    /// <summary>Reads a weight [N, K] of any size, in pieces of whole panels of the kernels.</summary>
    /// <exception cref="MASQuantException">MASQ0107 missing, MASQ0108 another shape or type, MASQ0109 not finite.</exception>
    public static IReadOnlyList<ReadOnlyMemory<byte>> ReadPieces(ITensorSource source, string name, int outputs, int inputs)
    {
        if (CodedMatrix.TryRead(source, name, outputs, inputs) is { } coded)
        {
            return [.. WidenPieces(coded, outputs, inputs)];
        }

        var tensor = source.FindMatrix(name, outputs, inputs);
        source.RequireReadable(tensor);
        source.RequireFinite(tensor);
        var rows = TensorRows.Of(source, tensor);
        return tensor.Type == DataType.BF16 ? rows.Pieces : [.. rows.Pieces.Select(piece => Round(piece.Span, tensor.Type))];
    }

    /// <summary>Reads a weight [N, K] of less than 2 GiB.</summary>
    /// <exception cref="MASQuantException">MASQ0107 missing, MASQ0108 another shape or type, MASQ0109 not finite.</exception>
    public static ReadOnlyMemory<byte> Read(ITensorSource source, string name, int outputs, int inputs)
    {
        if (CodedMatrix.TryRead(source, name, outputs, inputs) is { } coded)
        {
            return CodedRows.ToBFloat16(coded, 0, outputs, inputs);
        }

        var tensor = source.Find(name);
        if (tensor.Type == DataType.BF16 && tensor.Shape.SequenceEqual([outputs, inputs]))
        {
            source.RequireFinite(tensor);
            return source.Bytes(name);
        }

        return Round(MemoryMarshal.AsBytes(source.ReadMatrix(name, outputs, inputs).Span), DataType.F32);
    }

    private static IEnumerable<ReadOnlyMemory<byte>> WidenPieces(CodedMatrix coded, int outputs, int inputs)
    {
        var rows = Math.Max(1, TensorRows.MaxPieceBytes / (inputs * sizeof(ushort)) / PieceRows) * PieceRows;
        for (var first = 0; first < outputs; first += rows)
        {
            yield return CodedRows.ToBFloat16(coded, first, Math.Min(rows, outputs - first), inputs);
        }
    }

    private static ReadOnlyMemory<byte> Round(ReadOnlySpan<byte> bytes, DataType type)
    {
        var values = new float[bytes.Length / type.ByteSize()];
        TensorReading.Widen(bytes, type, values);
        var rounded = new byte[values.Length * sizeof(ushort)];
        var target = MemoryMarshal.Cast<byte, ushort>(rounded.AsSpan());
        for (var i = 0; i < values.Length; i++)
        {
            target[i] = BFloat16.FromSingle(values[i]);
        }

        return rounded;
    }
}
