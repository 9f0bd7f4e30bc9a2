using System.Text.Json;
using MASQuant.Formats.Schemes;

namespace MASQuant.Formats.Artifacts;

/// <summary>The names inside an artifact; <c>docs/artifact-format.md</c> specifies them.</summary>
public static class ArtifactNames
{
    /// <summary>The value of the metadata entry <c>format</c>.</summary>
    public const string Format = "masquant";

    /// <summary>The metadata entry that says what the file is.</summary>
    public const string FormatKey = "format";
    /// <summary>The metadata entry with the format's version.</summary>
    public const string VersionKey = "format_version";

    /// <summary>Precedes the name of an embedded file.</summary>
    public const string FilePrefix = "files/";

    /// <summary>The embedded manifest.</summary>
    public const string ManifestFileName = "masquant.json";

    /// <summary>The files of a checkpoint that an artifact takes along, where they exist.</summary>
    public static IReadOnlyList<string> EmbeddedFiles { get; } =
    [
        "added_tokens.json", "chat_template.json", "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json",
        "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "video_preprocessor_config.json",
    ];

    /// <summary>What precedes the names of all decoder blocks.</summary>
    public const string Blocks = "model.layers.";

    /// <summary>What precedes the names of decoder block <paramref name="layer"/>: <c>model.layers.3.</c>.</summary>
    public static string Block(int layer) => FormattableString.Invariant($"{Blocks}{layer}.");

    /// <summary>The prefix of a linear layer's tensors.</summary>
    public static string Linear(int layer, string linear) => Block(layer) + linear;

    /// <summary>The packed codes.</summary>
    public static string Codes(int layer, string linear) => $"{Linear(layer, linear)}.codes";

    /// <summary>The scales of outputs, or of groups.</summary>
    public static string Scales(int layer, string linear) => $"{Linear(layer, linear)}.scales";

    /// <summary>The second-level scales.</summary>
    public static string GroupScales(int layer, string linear) => $"{Linear(layer, linear)}.group_scales";

    /// <summary>The zero points of groups.</summary>
    public static string ZeroPoints(int layer, string linear) => $"{Linear(layer, linear)}.zero_points";

    /// <summary>The bias.</summary>
    public static string Bias(int layer, string linear) => $"{Linear(layer, linear)}.bias";

    /// <summary>The left factor of a patch.</summary>
    public static string L1(int layer, string linear, Modality modality) => $"{Linear(layer, linear)}.L1.{Lower(modality)}";

    /// <summary>The right factor of a patch.</summary>
    public static string L2(int layer, string linear, Modality modality) => $"{Linear(layer, linear)}.L2.{Lower(modality)}";

    /// <summary>1/s_m of an input group.</summary>
    public static string InverseSmoothing(int layer, InputGroup group, Modality modality)
        => $"{Group(layer, group)}inverse_smoothing.{Lower(modality)}";

    /// <summary>The block of an input group's rotation.</summary>
    public static string Rotation(int layer, InputGroup group) => Group(layer, group) + "rotation";

    /// <summary>Where the ranges of an input group's codes end.</summary>
    public static string Clips(int layer, InputGroup group) => Group(layer, group) + "clips";

    /// <summary>The prefix of an input group's tensors.</summary>
    public static string Group(int layer, InputGroup group) => $"{Block(layer)}{Lower(group)}.";

    private static string Lower(Modality modality) => modality switch
    {
        Modality.Text => "text",
        Modality.Vision => "vision",
        Modality.Audio => "audio",
        _ => throw new ArgumentOutOfRangeException(nameof(modality)),
    };

    private static string Lower(InputGroup group) => JsonNamingPolicy.SnakeCaseLower.ConvertName(group.ToString());
}
