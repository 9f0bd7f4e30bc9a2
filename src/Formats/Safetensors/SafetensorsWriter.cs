using System.Buffers.Binary;
using System.Numerics;
using System.Text.Json;
using MASQuant.Formats.Files;

namespace MASQuant.Formats.Safetensors;

/// <summary>Writes safetensors files: streamed, through a temporary file, the same bytes for the same tensors in whatever order they come.</summary>
public static class SafetensorsWriter
{
    /// <summary>The data starts at a multiple of this, and so does every tensor whose size is a multiple of it.</summary>
    public const int Alignment = 64;

    private const int LengthBytes = 8;

    /// <summary>Writes <paramref name="tensors"/> to <paramref name="path"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">Its tensors, in any order.</param>
    /// <param name="metadata">Said in the header.</param>
    /// <param name="check">Called when all is written and before the file gets its name: what it throws leaves the old file.</param>
    /// <param name="cancellationToken">Stops between tensors.</param>
    /// <exception cref="ArgumentException">Two tensors share a name.</exception>
    /// <exception cref="InvalidOperationException">A payload wrote another number of bytes than its shape needs.</exception>
    /// <exception cref="MASQuantException">MASQ0111: the file cannot be written.</exception>
    public static void Write(string path, IEnumerable<TensorPayload> tensors, IReadOnlyDictionary<string, string>? metadata = null, Action? check = null, CancellationToken cancellationToken = default)
    {
        var ordered = Order(tensors);
        var header = Header(ordered, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[LengthBytes];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            var position = stream.Position;
            foreach (var payload in ordered)
            {
                cancellationToken.ThrowIfCancellationRequested();
                payload.Write(stream);
                position += payload.Bytes;
                if (stream.Position != position)
                {
                    throw new InvalidOperationException($"Tensor '{payload.Tensor.Name}' wrote {stream.Position - position + payload.Bytes} bytes; its shape needs {payload.Bytes}.");
                }
            }

            check?.Invoke();
        });
    }

    // The format allows no padding between tensors. Falling powers of two make every tensor start at a multiple of the power of two in its own size.
    private static List<TensorPayload> Order(IEnumerable<TensorPayload> tensors)
    {
        List<TensorPayload> ordered = [.. tensors.OrderByDescending(AlignmentOf).ThenBy(t => t.Tensor.Name, StringComparer.Ordinal)];
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var payload in ordered)
        {
            if (!names.Add(payload.Tensor.Name))
            {
                throw new ArgumentException($"Two tensors are named '{payload.Tensor.Name}'.", nameof(tensors));
            }
        }

        return ordered;
    }

    private static int AlignmentOf(TensorPayload payload)
        => payload.Bytes == 0 ? Alignment : 1 << Math.Min(BitOperations.TrailingZeroCount(payload.Bytes), BitOperations.Log2(Alignment));

    private static byte[] Header(List<TensorPayload> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            var position = 0L;
            foreach (var payload in tensors)
            {
                WriteEntry(json, payload, position);
                position = checked(position + payload.Bytes);
            }

            json.WriteEndObject();
        }

        while ((LengthBytes + buffer.Length) % Alignment != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }

    private static void WriteEntry(Utf8JsonWriter json, TensorPayload payload, long begin)
    {
        json.WriteStartObject(payload.Tensor.Name);
        json.WriteString("dtype", payload.Tensor.Type.FileName());
        json.WriteStartArray("shape");
        foreach (var extent in payload.Tensor.Shape)
        {
            json.WriteNumberValue(extent);
        }

        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(begin);
        json.WriteNumberValue(begin + payload.Bytes);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
