using MASQuant.Engine.Tensors;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Tests.Artifacts;

/// <summary>Quantized blocks and manifests with random content, in the shapes of a real configuration.</summary>
internal static class RandomLayer
{
    public static QuantizedLayer Create(int seed, int index, TextConfig config, QuantizationScheme scheme)
    {
        var random = new Random(seed);
        var linears = Qwen25Decoder.Describe(config).Blocks[0].Linears;
        return new QuantizedLayer
        {
            Index = index,
            Linears = linears.ToDictionary(linear => linear.Name, linear => Weight(random, linear, scheme)),
            Inputs = linears.DistinctBy(linear => linear.Group).ToDictionary(
                linear => linear.Group,
                linear => new InputTransform([Floats(random, linear.Inputs), [], Floats(random, linear.Inputs)], scheme == QuantizationScheme.W8A8 ? BlockHadamard.LargestBlock(linear.Inputs) : 0)
                {
                    Clips = scheme == QuantizationScheme.W4A4 ? [0.75f, 1, 0.5f] : null,
                }),
        };
    }

    public static ManifestLayer Describe(QuantizedLayer layer, TextConfig config) => new()
    {
        Index = layer.Index,
        Linears = [.. Qwen25Decoder.Describe(config).Blocks[0].Linears.Select(linear => new ManifestLinear
        {
            Name = linear.Name,
            Group = linear.Group.ToString(),
            Outputs = linear.Outputs,
            Inputs = linear.Inputs,
            Bias = !layer.Linears[linear.Name].Bias.IsEmpty,
            Scheme = layer.Linears[linear.Name].Scheme.ToString(),
            Ranks = new Dictionary<string, int> { ["Vision"] = 3, ["Audio"] = 5 },
            Sqnr = new Dictionary<string, ManifestSqnr> { ["Text"] = new(20.125, double.PositiveInfinity), ["Audio"] = new(10, 30) },
        })],
    };

    public static Manifest Manifest(IReadOnlyList<ManifestLayer> layers) => new()
    {
        ToolVersion = "0.1.0",
        Name = "OmniTiny",
        Source = "omni-tiny",
        Quantized = true,
        Artifact = "",
        Model = new ManifestModel { Family = "Qwen25Omni", Modalities = ["Text", "Vision", "Audio"], HiddenSize = 256, IntermediateSize = 768, AttentionHeads = 4, KeyValueHeads = 2, VocabularySize = 1280, MaxPositions = 4096 },
        Tokenizer = new ManifestTokenizer { Tokens = 1216, Sha256 = "00" },
        Scheme = "W4A8",
        Options = new Dictionary<string, string> { ["Rank"] = "16", ["Epochs"] = "2" },
        Calibration = new ManifestCalibration { File = "calibration.jsonl", Sha256 = "11", Samples = 128, Tokens = new Dictionary<string, long> { ["Vision"] = 2, ["Audio"] = 3, ["Text"] = 1 } },
        Layers = layers,
    };

    private static QuantizedWeight Weight(Random random, DecoderLinear linear, QuantizationScheme scheme)
    {
        var codes = new byte[PackingLayout.PackedBytes(linear.Outputs, linear.Inputs, scheme.WeightBits)];
        random.NextBytes(codes);
        var groups = scheme.QuantizesActivations ? 1 : linear.Inputs / PackingLayout.GroupSize;
        var bias = Floats(random, linear.Name.Contains("attn", StringComparison.Ordinal) ? linear.Outputs : 0);
        if (linear.Name.Contains("q_proj", StringComparison.Ordinal))
        {
            BFloat16.Round(bias);
        }

        return new QuantizedWeight
        {
            Scheme = scheme,
            Outputs = linear.Outputs,
            Inputs = linear.Inputs,
            Codes = codes,
            Scales = Floats(random, linear.Outputs * groups),
            ZeroPoints = scheme.QuantizesActivations ? default : Enumerable.Range(0, linear.Outputs * groups).Select(_ => (byte)random.Next(16)).ToArray(),
            GroupScales = scheme == QuantizationScheme.W4A6 ? Enumerable.Range(0, linear.Outputs * linear.Inputs / PackingLayout.GroupSize).Select(_ => (byte)random.Next(1, 17)).ToArray() : default,
            Bias = bias,
            Patches = [null, Patch(random, linear, 3), Patch(random, linear, 5)],
        };
    }

    private static LowRankFactors Patch(Random random, DecoderLinear linear, int rank)
    {
        var factors = new LowRankFactors(new Matrix(linear.Inputs, rank, Floats(random, linear.Inputs * rank)), new Matrix(rank, linear.Outputs, Floats(random, rank * linear.Outputs)));
        Float16.Round(factors.L1.Span);
        Float16.Round(factors.L2.Span);
        return factors;
    }

    private static float[] Floats(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() + 0.5f)];
}
