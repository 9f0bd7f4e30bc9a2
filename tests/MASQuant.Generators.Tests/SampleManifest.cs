using System.Text.Json;
using MASQuant.Formats.Artifacts;

namespace MASQuant.Generators.Tests;

/// <summary>Manifests written by the runtime's own serializer, so that both sides of the format are held together.</summary>
internal static class SampleManifest
{
    private static readonly (string Name, string Group, int Outputs, int Inputs)[] Linears =
    [
        ("self_attn.q_proj", "Qkv", 256, 256),
        ("self_attn.k_proj", "Qkv", 128, 256),
        ("self_attn.v_proj", "Qkv", 128, 256),
        ("self_attn.o_proj", "O", 256, 256),
        ("mlp.gate_proj", "GateUp", 768, 256),
        ("mlp.up_proj", "GateUp", 768, 256),
        ("mlp.down_proj", "Down", 256, 768),
    ];

    public static Manifest Create(string name = "OmniTiny", int layers = 2, bool quantized = true) => new()
    {
        ToolVersion = "0.1.0",
        Name = name,
        Source = "omni-tiny",
        Quantized = quantized,
        Artifact = name + ".masquant.safetensors",
        ArtifactBytes = quantized ? 7_654_321 : 0,
        Model = new ManifestModel
        {
            Family = "Qwen25Omni",
            Modalities = ["Text", "Vision", "Audio"],
            HiddenSize = 256,
            IntermediateSize = 768,
            AttentionHeads = 4,
            KeyValueHeads = 2,
            VocabularySize = 1280,
            MaxPositions = 4096,
        },
        Tokenizer = new ManifestTokenizer { Tokens = 1216, Sha256 = new string('a', 64) },
        Scheme = "W4A8",
        Layers = [.. Enumerable.Range(0, layers).Select(layer => Layer(layer, quantized))],
    };

    public static string Json(Manifest manifest) => JsonSerializer.Serialize(manifest, ManifestJson.Default.Manifest);

    private static ManifestLayer Layer(int layer, bool quantized) => new()
    {
        Index = layer,
        Linears = [.. Linears.Select(linear => new ManifestLinear
        {
            Name = linear.Name,
            Group = linear.Group,
            Outputs = linear.Outputs,
            Inputs = linear.Inputs,
            Scheme = "W4A8",
            Bytes = quantized ? linear.Outputs * linear.Inputs / 2 : 0,
            Ranks = new SortedDictionary<string, int> { ["Vision"] = 16, ["Audio"] = 8 + layer },
            Sqnr = quantized
                ? new SortedDictionary<string, ManifestSqnr> { ["Text"] = new(11.5, 11.5), ["Vision"] = new(10.25, 18.25), ["Audio"] = new(-1.5, 18 + layer) }
                : new SortedDictionary<string, ManifestSqnr>(),
        })],
    };
}
