using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using MASQuant.Diagnostics;
using MASQuant.Formats.Files;

namespace MASQuant.Formats.Safetensors;

/// <summary>One safetensors file, memory-mapped. Opening it reads and checks the header alone; a tensor's bytes are read when they are touched.</summary>
public sealed class SafetensorsFile : ITensorSource
{
    /// <summary>The longest header that is read, the format's own limit.</summary>
    public const int MaxHeaderBytes = 100_000_000;

    private const int LengthBytes = 8;

    private readonly MappedFile _file;
    private readonly SafetensorsHeader _header;
    private readonly long _dataStart;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header, long dataStart)
    {
        _file = file;
        _header = header;
        _dataStart = dataStart;
        Tensors = [.. header.Entries.Values.Select(e => e.Tensor).OrderBy(t => t.Name, StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <inheritdoc/>
    public IReadOnlyCollection<TensorInfo> Tensors { get; }

    /// <summary>The free-form strings of <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Maps <paramref name="path"/> and checks its header.</summary>
    /// <exception cref="MASQuantException">MASQ0101 unreadable, MASQ0102 or MASQ0103 malformed, MASQ0104 a Git LFS pointer.</exception>
    public static SafetensorsFile Open(string path)
    {
        var file = new MappedFile(path);
        try
        {
            LfsPointer.Refuse(file.Slice<byte>(0, (int)Math.Min(file.Length, LfsPointer.PrefixLength)).Span, path);
            if (file.Length < LengthBytes)
            {
                throw Invalid(path, $"The file has {file.Length} bytes and no header.");
            }

            var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(file.Slice<byte>(0, LengthBytes).Span);
            if (headerLength > MaxHeaderBytes)
            {
                throw Invalid(path, $"The header's length {headerLength} is above the limit of {MaxHeaderBytes} bytes.");
            }

            var dataStart = LengthBytes + (long)headerLength;
            if (dataStart > file.Length)
            {
                throw Invalid(path, $"The header's length {headerLength} reaches beyond the file's {file.Length} bytes.");
            }

            var header = SafetensorsHeader.Parse(file.Slice<byte>(LengthBytes, (int)headerLength).Span, file.Length - dataStart, path);
            return new SafetensorsFile(file, header, dataStart);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor)
    {
        tensor = _header.Entries.TryGetValue(name, out var entry) ? entry.Tensor : null;
        return tensor is not null;
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Bytes(string name) => Map<byte>(name);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Bytes(string name, long offset, int count)
    {
        var entry = Find(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, entry.End - entry.Begin - count);
        return _file.Slice<byte>(_dataStart + entry.Begin + offset, count);
    }

    /// <inheritdoc/>
    public void Discard(string name)
    {
        var entry = Find(name);
        _file.Discard(_dataStart + entry.Begin, entry.End - entry.Begin);
    }

    /// <summary>The elements of a tensor without copying, or a copy where its offset is not a multiple of the element's size.</summary>
    internal ReadOnlyMemory<T> Map<T>(string name)
        where T : unmanaged
    {
        var entry = Find(name);
        var size = Unsafe.SizeOf<T>();
        var bytes = checked((int)(entry.End - entry.Begin)); // Larger ones are read in pieces.
        var offset = _dataStart + entry.Begin;
        return offset % size == 0
            ? _file.Slice<T>(offset, bytes / size)
            : System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(_file.Slice<byte>(offset, bytes).Span).ToArray();
    }

    private SafetensorsEntry Find(string name) => _header.Entries.TryGetValue(name, out var found) ? found : throw TensorReading.Missing(this, name);

    /// <inheritdoc cref="MappedFile.RequireWhole"/>
    public void RequireWhole() => _file.RequireWhole();

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static MASQuantException Invalid(string path, string message)
        => new(DiagnosticCodes.SafetensorsHeaderInvalid, path, $"{message} The file is truncated or not in the safetensors format; download or write it again.");
}
