using System.Runtime.InteropServices;

namespace MASQuant.Formats.Safetensors;

/// <summary>A tensor to be written.</summary>
/// <param name="Tensor">Its name, type and shape.</param>
/// <param name="Write">Writes its bytes, little-endian and row-major; called once, when their turn comes.</param>
public sealed record TensorPayload(TensorInfo Tensor, Action<Stream> Write)
{
    /// <summary>The size in bytes.</summary>
    public long Bytes => Tensor.Bytes;

    /// <summary>A tensor of <paramref name="source"/>, read when it is written, under the same or another name.</summary>
    public static TensorPayload From(ITensorSource source, TensorInfo tensor, string? name = null)
        => new(tensor with { Name = name ?? tensor.Name }, stream =>
        {
            foreach (var piece in source.Pieces(tensor))
            {
                stream.Write(piece.Span);
            }
        });

    /// <summary>Bytes as they are.</summary>
    public static TensorPayload OfBytes(string name, DataType type, ReadOnlyMemory<byte> bytes, params int[] shape)
        => new(new TensorInfo(name, type, shape), stream => stream.Write(bytes.Span));

    /// <summary>FP32 values.</summary>
    public static TensorPayload OfFloats(string name, ReadOnlyMemory<float> values, params int[] shape)
        => new(new TensorInfo(name, DataType.F32, shape), stream => stream.Write(MemoryMarshal.AsBytes(values.Span)));

    /// <summary>Values rounded to BF16.</summary>
    public static TensorPayload OfBFloat16(string name, ReadOnlyMemory<float> values, params int[] shape)
        => new(new TensorInfo(name, DataType.BF16, shape), stream =>
        {
            var rounded = LargeArray.Uninitialized<ushort>(values.Length);
            BFloat16.Narrow(values.Span, rounded);
            stream.Write(MemoryMarshal.AsBytes<ushort>(rounded));
        });

    /// <summary>Values rounded to FP16.</summary>
    public static TensorPayload OfFloat16(string name, ReadOnlyMemory<float> values, params int[] shape)
        => new(new TensorInfo(name, DataType.F16, shape), stream =>
        {
            var rounded = LargeArray.Uninitialized<Half>(values.Length);
            Float16.Narrow(values.Span, rounded);
            stream.Write(MemoryMarshal.AsBytes<Half>(rounded));
        });
}
