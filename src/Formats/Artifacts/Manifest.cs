using System.Text.Json.Serialization;
using MASQuant.Formats.Models;

namespace MASQuant.Formats.Artifacts;

/// <summary>What is known of a quantized model beside its bytes: the JSON file next to an artifact, which the source generator reads. <c>docs/artifact-format.md</c> specifies it.</summary>
public sealed record Manifest
{
    /// <summary>The format version that this code writes and reads.</summary>
    public const int CurrentFormatVersion = 4;

    /// <summary>The version of this format.</summary>
    [JsonRequired]
    public int FormatVersion { get; init; } = CurrentFormatVersion;

    /// <summary>The version of the tool that wrote it.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>The model's name: a C# identifier, the generated class's name.</summary>
    public required string Name { get; init; }

    /// <summary>The folder name of the checkpoint.</summary>
    public required string Source { get; init; }

    /// <summary>False for a plan made from headers alone (design time): no bytes, no SQNR.</summary>
    public required bool Quantized { get; init; }

    /// <summary>The artifact's file name, beside the manifest or in the application's <c>models</c> folder.</summary>
    public required string Artifact { get; init; }

    /// <summary>The artifact's size, or 0 in a plan and in the copy inside the artifact itself.</summary>
    [JsonRequired]
    public long ArtifactBytes { get; init; }

    /// <summary>The model's facts.</summary>
    public required ManifestModel Model { get; init; }

    /// <summary>The tokenizer's facts.</summary>
    public required ManifestTokenizer Tokenizer { get; init; }

    /// <summary>The scheme's name, <c>W4A8</c>.</summary>
    public required string Scheme { get; init; }

    /// <summary>The options that shaped the weights, by their metadata names.</summary>
    [JsonRequired]
    public IReadOnlyDictionary<string, string> Options { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The calibration set, or null in a plan without one.</summary>
    public ManifestCalibration? Calibration { get; init; }

    /// <summary>The ranges of blocks that were quantized apart, each from the full-precision prefix; null for a model of one run.</summary>
    public IReadOnlyList<string>? Parts { get; init; }

    /// <summary>One entry per decoder block, in order.</summary>
    public required IReadOnlyList<ManifestLayer> Layers { get; init; }
}

/// <summary>Facts of the model.</summary>
public sealed record ManifestModel
{
    /// <summary>The family's name.</summary>
    public required string Family { get; init; }

    /// <summary>The modalities that the model takes, text first.</summary>
    public required IReadOnlyList<string> Modalities { get; init; }

    /// <summary>H.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>The width between gate/up and down.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Query heads.</summary>
    public required int AttentionHeads { get; init; }

    /// <summary>Key and value heads.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Rows of the embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>The longest sequence.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>The facts that a configuration gives.</summary>
    public static ManifestModel Of(ModelConfig config) => new()
    {
        Family = config.Family.Name,
        Modalities = [.. config.Modalities.Select(modality => modality.ToString())],
        HiddenSize = config.Text.HiddenSize,
        IntermediateSize = config.Text.IntermediateSize,
        AttentionHeads = config.Text.AttentionHeads,
        KeyValueHeads = config.Text.KeyValueHeads,
        VocabularySize = config.Text.VocabularySize,
        MaxPositions = config.Text.MaxPositions,
    };
}

/// <summary>Facts of the tokenizer.</summary>
public sealed record ManifestTokenizer
{
    /// <summary>Tokens, added ones included.</summary>
    public required int Tokens { get; init; }

    /// <summary>SHA-256 of <c>tokenizer.json</c>, lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }
}

/// <summary>Facts of the calibration set.</summary>
public sealed record ManifestCalibration
{
    /// <summary>The file name.</summary>
    public required string File { get; init; }

    /// <summary>SHA-256 over the rows and their media files, lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The number of samples.</summary>
    public required int Samples { get; init; }

    /// <summary>The seed by which the samples were drawn from the file; null when they are all of it.</summary>
    public ulong? SubsetSeed { get; init; }

    /// <summary>Tokens by modality name.</summary>
    public required IReadOnlyDictionary<string, long> Tokens { get; init; }
}

/// <summary>One decoder block.</summary>
public sealed record ManifestLayer
{
    /// <summary>The block's number, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Its linear layers in the order q, k, v, o, gate, up, down.</summary>
    public required IReadOnlyList<ManifestLinear> Linears { get; init; }
}

/// <summary>One quantized linear layer.</summary>
public sealed record ManifestLinear
{
    /// <summary>The name inside the block: <c>self_attn.q_proj</c> … <c>mlp.down_proj</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The input group: <c>Qkv</c>, <c>O</c>, <c>GateUp</c>, <c>Down</c>.</summary>
    public required string Group { get; init; }

    /// <summary>N.</summary>
    public required int Outputs { get; init; }

    /// <summary>K.</summary>
    public required int Inputs { get; init; }

    /// <summary>Whether the layer has a bias.</summary>
    [JsonRequired]
    public bool Bias { get; init; }

    /// <summary>The scheme of this layer.</summary>
    public required string Scheme { get; init; }

    internal QuantizationScheme ParsedScheme => QuantizationScheme.TryParse(Scheme, out var scheme) ? scheme : throw new FormatException($"'{Scheme}' is no scheme.");

    /// <summary>Stored bytes: codes, scales, patches and bias (the group's smoothing factors are counted with its first layer). <see cref="ArtifactWriter"/> fills it in.</summary>
    [JsonRequired]
    public long Bytes { get; init; }

    /// <summary>Per modality that is patched: its rank. Keys are modality names.</summary>
    [JsonRequired]
    public IReadOnlyDictionary<string, int> Ranks { get; init; } = new SortedDictionary<string, int>(StringComparer.Ordinal);

    /// <summary>Per patched modality: the residual's effective rank, plain and whitened.</summary>
    [JsonRequired]
    public IReadOnlyDictionary<string, ManifestEffectiveRank> EffectiveRanks { get; init; } = new SortedDictionary<string, ManifestEffectiveRank>(StringComparer.Ordinal);

    /// <summary>Per modality: the output's SQNR on the calibration set, in dB.</summary>
    [JsonRequired]
    public IReadOnlyDictionary<string, ManifestSqnr> Sqnr { get; init; } = new SortedDictionary<string, ManifestSqnr>(StringComparer.Ordinal);
}

/// <summary>exp(−Σ p log p), p = σ/Σσ, of a residual.</summary>
/// <param name="Plain">Of ΔW.</param>
/// <param name="Whitened">Of T·ΔWᵀ.</param>
public sealed record ManifestEffectiveRank(double Plain, double Whitened);

/// <summary>10·log10(‖y‖²/‖y − ŷ‖²) of a layer's output, before and after compensation, in dB.</summary>
/// <param name="Before">Without the patch.</param>
/// <param name="After">With the patch.</param>
public sealed record ManifestSqnr(double Before, double After);

/// <summary>Reads and writes manifests without reflection.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    NewLine = "\n",
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Manifest))]
public sealed partial class ManifestJson : JsonSerializerContext;
