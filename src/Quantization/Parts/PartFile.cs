using System.Text.Json.Serialization;

namespace MASQuant.Quantization.Parts;

/// <summary>What a part says of itself: <c>part.json</c>, written last.</summary>
internal sealed record PartFile
{
    /// <summary>The version of this format.</summary>
    public const int CurrentFormatVersion = 1;

    /// <summary>The version of this format.</summary>
    public int FormatVersion { get; init; } = CurrentFormatVersion;

    /// <summary>The key of the artifact that one run over all blocks would make.</summary>
    public required string Key { get; init; }

    /// <summary>The first block, from 0.</summary>
    public required int First { get; init; }

    /// <summary>The last block.</summary>
    public required int Last { get; init; }

    /// <summary>The model's blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>SHA-256 of the checkpoint's files, by name.</summary>
    public required SortedDictionary<string, string> Checkpoint { get; init; }

    /// <summary>SHA-256 of the part's other files, by name; times are left out.</summary>
    public required SortedDictionary<string, string> Files { get; init; }
}

/// <summary>Reads and writes parts without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PartFile))]
internal sealed partial class PartJson : JsonSerializerContext;
