using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace MASQuant.Tests;

/// <summary>A case of tests/goldens: its tensors and its JSON. Reads safetensors by itself, so that it judges our reader too.</summary>
internal sealed class Golden
{
    private static readonly string[] OmniNames =
        ["omni/text", "omni/audio", "omni/audio-long", "omni/two-audios", "omni/image", "omni/image-resized", "omni/two-images", "omni/image-audio", "omni/video"];

    private static readonly string[] VLNames = ["vl/text", "vl/two-images", "vl/video"];

    private readonly byte[] _bytes;
    private readonly int _data;
    private readonly JsonElement _header;

    private readonly string _media;

    private Golden(string name, string folder, string media)
    {
        Name = name;
        _media = media;
        _bytes = File.ReadAllBytes(Path.Combine(folder, Path.GetFileName(name) + ".safetensors"));
        var length = checked((int)BinaryPrimitives.ReadInt64LittleEndian(_bytes));
        _header = JsonDocument.Parse(_bytes.AsMemory(8, length)).RootElement;
        _data = 8 + length;
        Json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, Path.GetFileName(name) + ".json"))).RootElement;
    }

    /// <summary>The cases of the Omni model.</summary>
    public static TheoryData<string> Omni => [.. OmniNames];

    /// <summary>The cases of the VL model.</summary>
    public static TheoryData<string> VL => [.. VLNames];

    /// <summary>Every case.</summary>
    public static TheoryData<string> All => [.. OmniNames, .. VLNames];

    /// <summary>The cases that hold <paramref name="tensor"/>.</summary>
    public static TheoryData<string> With(string tensor) => [.. OmniNames.Concat(VLNames).Where(name => Load(name).Has(tensor))];

    public string Name { get; }

    public JsonElement Json { get; }

    public bool IsOmni => Name.StartsWith("omni/", StringComparison.Ordinal);

    public string Prompt => Json.GetProperty("prompt").GetString()!;

    public string GreedyText => Json.GetProperty("greedy_text").GetString()!;

    /// <summary>The media files, as full paths.</summary>
    public string[] Files => [.. Json.GetProperty("files").EnumerateArray().Select(f => Path.Combine(_media, f.GetString()!))];

    public static Golden Load(string name) => new(name, RepositoryFiles.Golden(Path.GetDirectoryName(name)!), RepositoryFiles.Golden(name.StartsWith("omni", StringComparison.Ordinal) ? "omni" : "vl"));

    /// <summary>A case of another folder.</summary>
    public static Golden Load(string name, string folder) => new(name, folder, folder);

    public bool Has(string tensor) => _header.TryGetProperty(tensor, out _);

    public int[] Shape(string tensor) => [.. _header.GetProperty(tensor).GetProperty("shape").EnumerateArray().Select(e => e.GetInt32())];

    public float[] Floats(string tensor) => MemoryMarshal.Cast<byte, float>(Bytes(tensor, "F32")).ToArray();

    public int[] Integers(string tensor) => MemoryMarshal.Cast<byte, int>(Bytes(tensor, "I32")).ToArray();

    private ReadOnlySpan<byte> Bytes(string tensor, string type)
    {
        var entry = _header.GetProperty(tensor);
        Assert.Equal(type, entry.GetProperty("dtype").GetString());
        var offsets = entry.GetProperty("data_offsets");
        return _bytes.AsSpan((_data + offsets[0].GetInt32())..(_data + offsets[1].GetInt32()));
    }
}
