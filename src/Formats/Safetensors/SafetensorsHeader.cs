using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using MASQuant.Diagnostics;

namespace MASQuant.Formats.Safetensors;

/// <summary>Where a tensor's bytes lie, counted from the end of the header.</summary>
internal readonly record struct SafetensorsEntry(TensorInfo Tensor, long Begin, long End);

/// <summary>The parsed header of a safetensors file. Parsing is strict: every rule of the format's specification and every attack of its list has a message of its own.</summary>
internal sealed class SafetensorsHeader
{
    private const string MetadataKey = "__metadata__";
    private const string Remedy = "Download or write the file again.";

    private readonly string _file;
    private readonly Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private bool _hasMetadata;

    private SafetensorsHeader(string file) => _file = file;

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <summary>The free-form strings of <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Parses header bytes; <paramref name="dataLength"/> is the number of bytes that follow it.</summary>
    /// <exception cref="MASQuantException">MASQ0102 or MASQ0103.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength, string file)
    {
        var header = new SafetensorsHeader(file);
        if (json.IsEmpty || json[0] != (byte)'{')
        {
            throw header.Invalid("The header does not start with '{'.");
        }

        if (!Utf8.IsValid(json))
        {
            throw header.Invalid("The header is not valid UTF-8.");
        }

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        try
        {
            header.ReadTensors(ref reader);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw header.Invalid($"The header is not valid JSON: {e.Message}", e); // InvalidOperationException: a lone surrogate in an escape.
        }

        header.CheckOffsets(dataLength);
        return header;
    }

    private void ReadTensors(ref Utf8JsonReader reader)
    {
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (name == MetadataKey)
            {
                ReadMetadata(ref reader);
                continue;
            }

            ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, name, out var exists);
            if (exists)
            {
                throw InvalidTensor(name, "is listed twice");
            }

            entry = ReadEntry(ref reader, name);
        }

        if (reader.Read())
        {
            throw Invalid("The header holds more than one JSON object.");
        }
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (_hasMetadata)
        {
            throw Invalid($"{MetadataKey} is listed twice.");
        }

        _hasMetadata = true;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Invalid($"{MetadataKey} is not a map of strings.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                throw Invalid($"{MetadataKey} is not a map of strings: '{key}'.");
            }

            if (!_metadata.TryAdd(key, reader.GetString()!))
            {
                throw Invalid($"{MetadataKey} lists '{key}' twice.");
            }
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw InvalidTensor(name, "is not described by an object");
        }

        string? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            switch (key)
            {
                case "dtype" when type is null && reader.TokenType == JsonTokenType.String:
                    type = reader.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, name, key);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, name, key);
                    break;
                default:
                    throw InvalidTensor(name, $"has an unknown, repeated or mistyped member '{key}'");
            }
        }

        if (type is null || shape is null || offsets is not [var begin, var end])
        {
            throw InvalidTensor(name, "lacks its dtype, shape or pair of data_offsets");
        }

        return DataTypes.TryParse(type, out var parsed)
            ? CheckEntry(name, parsed, shape, begin, end)
            : throw InvalidTensor(name, $"has the unknown dtype '{type}'");
    }

    private List<long> ReadNumbers(ref Utf8JsonReader reader, string name, string key)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw InvalidTensor(name, $"has a {key} that is not a list");
        }

        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
            {
                throw InvalidTensor(name, $"has a {key} with an entry that is not a whole number from 0 to 2^63 − 1");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private SafetensorsEntry CheckEntry(string name, DataType type, List<long> shape, long begin, long end)
    {
        Int128 size = type.ByteSize();
        foreach (var extent in shape)
        {
            size *= extent;
            if (extent > int.MaxValue || size > long.MaxValue)
            {
                throw InvalidTensor(name, $"has the shape [{string.Join(", ", shape)}], more than an extent of {int.MaxValue} or {long.MaxValue} bytes");
            }
        }

        return end >= begin && end - begin == size
            ? new SafetensorsEntry(new TensorInfo(name, type, [.. shape.Select(extent => (int)extent)]), begin, end)
            : throw InvalidTensor(name, $"has data_offsets [{begin}, {end}], but its dtype and shape need {size} bytes");
    }

    // Every byte belongs to exactly one tensor: no overlap, no hole, no rest.
    private void CheckOffsets(long dataLength)
    {
        var position = 0L;
        foreach (var entry in _entries.Values.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (entry.Begin != position)
            {
                throw InvalidTensor(entry.Tensor.Name, entry.Begin < position
                    ? $"overlaps another tensor at byte {entry.Begin}"
                    : $"leaves a hole before it, from byte {position} to {entry.Begin}");
            }

            if (entry.End > dataLength)
            {
                throw InvalidTensor(entry.Tensor.Name, $"ends at byte {entry.End}, but only {dataLength} bytes follow the header; the file is truncated");
            }

            position = entry.End;
        }

        if (position != dataLength)
        {
            throw Invalid($"{dataLength - position} bytes after the last tensor belong to none.");
        }
    }

    private MASQuantException Invalid(string message, Exception? inner = null)
        => new(DiagnosticCodes.SafetensorsHeaderInvalid, _file, $"{message} {Remedy}", inner);

    private MASQuantException InvalidTensor(string name, string fault)
        => new(DiagnosticCodes.SafetensorsTensorInvalid, _file, $"Tensor '{name}' {fault}. {Remedy}");
}
