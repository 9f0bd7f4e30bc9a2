using System.Runtime.InteropServices;
using MASQuant.Diagnostics;

namespace MASQuant.Formats.Safetensors;

/// <summary>Reads tensors of known shape as FP32, from BF16, F16 or F32. Values that are not finite are refused.</summary>
public static class TensorReading
{
    /// <summary>The values of a tensor, row-major.</summary>
    /// <exception cref="MASQuantException">MASQ0107 missing, MASQ0108 another shape or type, MASQ0109 not finite.</exception>
    public static float[] ReadFloats(this ITensorSource source, string name, params int[] expectedShape)
    {
        var tensor = source.Find(name);
        if (!tensor.Shape.SequenceEqual(expectedShape))
        {
            throw ShapeMismatch(source, tensor, expectedShape);
        }

        return Convert(source, tensor);
    }

    /// <summary>A tensor as a matrix; trailing extents that multiply to <paramref name="columns"/> (a convolution's) count as one.</summary>
    /// <exception cref="MASQuantException">MASQ0107 missing, MASQ0108 another shape or type, MASQ0109 not finite.</exception>
    public static Matrix ReadMatrix(this ITensorSource source, string name, int rows, int columns)
        => new(rows, columns, Convert(source, source.FindMatrix(name, rows, columns)));

    /// <summary>Looks up a tensor that must be there.</summary>
    /// <exception cref="MASQuantException">MASQ0107.</exception>
    public static TensorInfo Find(this ITensorSource source, string name)
        => source.TryGet(name, out var tensor) ? tensor : throw Missing(source, name);

    /// <summary>Looks up a matrix; trailing extents that multiply to <paramref name="columns"/> (a convolution's) count as one.</summary>
    /// <exception cref="MASQuantException">MASQ0107 missing, MASQ0108 another shape.</exception>
    public static TensorInfo FindMatrix(this ITensorSource source, string name, int rows, int columns)
    {
        var tensor = source.Find(name);
        return tensor.Shape.Count >= 2 && tensor.Shape[0] == rows && tensor.Count == (long)rows * columns
            ? tensor
            : throw ShapeMismatch(source, tensor, rows, columns);
    }

    /// <summary>Refuses a tensor whose elements are none that can be read.</summary>
    /// <exception cref="MASQuantException">MASQ0108.</exception>
    public static void RequireReadable(this ITensorSource source, TensorInfo tensor)
    {
        if (tensor.Type is not (DataType.BF16 or DataType.F16 or DataType.F32))
        {
            throw new MASQuantException(DiagnosticCodes.TensorMismatch, source.Path,
                $"Tensor '{tensor.Name}' has element type {tensor.Type.FileName()}; BF16, F16 and F32 are supported. Convert the checkpoint to BF16.");
        }
    }

    /// <summary>Whether two tensors have the same type, shape and bytes.</summary>
    /// <exception cref="MASQuantException">MASQ0107: one is missing.</exception>
    public static bool AreEqual(this ITensorSource source, string name, string other)
    {
        var (first, second) = (source.Find(name), source.Find(other));
        return first.Type == second.Type && first.Shape.SequenceEqual(second.Shape) && source.Pieces(first).Zip(source.Pieces(second)).All(pair => pair.First.Span.SequenceEqual(pair.Second.Span));
    }

    /// <summary>Refuses a tensor that holds NaN or an infinity.</summary>
    /// <exception cref="MASQuantException">MASQ0109, naming the first such element.</exception>
    public static void RequireFinite(this ITensorSource source, TensorInfo tensor)
    {
        var before = 0L;
        foreach (var piece in source.Pieces(tensor))
        {
            var element = FiniteScan.FirstNonFinite(piece.Span, tensor.Type);
            if (element >= 0)
            {
                throw new MASQuantException(DiagnosticCodes.TensorNotFinite, source.Path,
                    $"Tensor '{tensor.Name}' holds NaN or an infinity at element {before + element}. The checkpoint is damaged; download it again.");
            }

            before += piece.Length / tensor.Type.ByteSize();
        }
    }

    /// <summary>Refuses a source any of whose tensors holds NaN or an infinity; reads every byte.</summary>
    /// <exception cref="MASQuantException">MASQ0109, naming the first such tensor.</exception>
    public static void RequireFinite(this ITensorSource source, CancellationToken cancellationToken = default)
    {
        foreach (var tensor in source.Tensors)
        {
            cancellationToken.ThrowIfCancellationRequested();
            source.RequireFinite(tensor);
        }
    }

    internal static MASQuantException Missing(ITensorSource source, string name)
        => new(DiagnosticCodes.TensorMissing, source.Path, $"Tensor '{name}' is missing. The checkpoint is incomplete or of another architecture.");

    /// <summary>What to throw for a tensor of another shape than the configuration calls for.</summary>
    public static MASQuantException ShapeMismatch(ITensorSource source, TensorInfo tensor, params ReadOnlySpan<int> expected)
        => new(DiagnosticCodes.TensorMismatch, source.Path,
            $"Tensor '{tensor.Name}' has shape [{string.Join(", ", tensor.Shape)}]; config.json calls for [{string.Join(", ", expected.ToArray())}]. The weights and config.json belong to different models.");

    private static float[] Convert(ITensorSource source, TensorInfo tensor)
    {
        source.RequireReadable(tensor);
        source.RequireFinite(tensor);
        var values = LargeArray.Uninitialized<float>(ArrayLength(source, tensor));
        var rest = values.AsSpan();
        foreach (var piece in source.Pieces(tensor))
        {
            var count = piece.Length / tensor.Type.ByteSize();
            Widen(piece.Span, tensor.Type, rest[..count]);
            rest = rest[count..];
        }

        source.Discard(tensor.Name);
        return values;
    }

    /// <summary>Converts BF16, F16 or F32 values to FP32.</summary>
    public static void Widen(ReadOnlySpan<byte> bytes, DataType type, Span<float> values)
    {
        switch (type)
        {
            case DataType.BF16:
                BFloat16.Widen(MemoryMarshal.Cast<byte, ushort>(bytes), values);
                break;
            case DataType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = (float)halves[i];
                }

                break;
            default:
                bytes.CopyTo(MemoryMarshal.AsBytes(values));
                break;
        }
    }

    private static int ArrayLength(ITensorSource source, TensorInfo tensor) => tensor.Count <= Array.MaxLength ? (int)tensor.Count : throw new MASQuantException(DiagnosticCodes.TensorMismatch, source.Path,
        $"Tensor '{tensor.Name}' has {tensor.Count} elements, more than the {Array.MaxLength} that can be worked with. Use a checkpoint with smaller layers.");
}
