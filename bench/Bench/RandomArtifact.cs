using System.Text.Json.Nodes;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;
using MASQuant.Quantization.Weights;

namespace MASQuant.Bench;

/// <summary>Writes the artifact of a whole model of a real shape, tower included, with random weights: what it takes to load and to run is what a trained one's takes.</summary>
internal static class RandomArtifact
{
    private const int Vocabulary = 151_936;
    private const int TowerDepth = 32;
    private const int TowerHidden = 1280;
    private const int TowerIntermediate = 3420;

    /// <summary>Writes it into <paramref name="folder"/>.</summary>
    /// <returns>The artifact's path.</returns>
    public static string Write(string folder, ModelShape shape, QuantizationOptions options)
    {
        Directory.CreateDirectory(folder);
        using var source = new RandomSource(Path.Combine(QuantizeLayer.Root, "samples", "models", "vl-tiny"), config => Widen(config, shape));
        var config = ModelConfigReader.Read(source);
        source.Describe(config);
        var decoder = config.Decoder();
        var random = new RandomLayer(config, options);
        var job = new QuantizationJob { ModelFolder = source.Path, CalibrationFile = "", OutputFolder = folder, WorkFolder = folder, Name = "Random", Options = options };
        var manifest = ModelFacts.Planned(job, config, source.ReadFile("tokenizer.json")) with { Quantized = true };
        manifest = manifest with { Layers = [.. manifest.Layers.Select(layer => layer with { Linears = [.. layer.Linears.Select(linear => linear with { Ranks = random.RanksOf(layer.Index, linear.Name) })] })] };
        string[] files = [.. Enumerable.Range(0, decoder.Blocks.Count).Select(layer => Path.Combine(folder, FormattableString.Invariant($"layer-{layer}")))];
        foreach (var (layer, file) in files.Index())
        {
            LayerFile.Write(file, random.Of(layer));
        }

        var coded = CodedParts.Of(source, config, options);
        var written = ArtifactWriter.Write(folder, manifest, source, files, tensor => coded.Contains(tensor.Name) ? CodedPart.Payloads(source, tensor) : null);
        Array.ForEach(files, File.Delete);
        return Path.Combine(folder, written.Artifact);
    }

    private static void Widen(JsonObject config, ModelShape shape)
    {
        (config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"], config["vocab_size"]) = (shape.Hidden, shape.Intermediate, shape.Layers, Vocabulary);
        (config["num_attention_heads"], config["num_key_value_heads"]) = (shape.Hidden / ModelShape.HeadSize, shape.KeyValue / ModelShape.HeadSize);
        config["rope_scaling"]!["mrope_section"] = new JsonArray(16, 24, 24);
        config["tie_word_embeddings"] = shape.IsHeadTied;
        var vision = config["vision_config"]!;
        (vision["depth"], vision["hidden_size"], vision["intermediate_size"], vision["num_heads"]) = (TowerDepth, TowerHidden, TowerIntermediate, 16);
        (vision["out_hidden_size"], vision["window_size"], vision["fullatt_block_indexes"]) = (shape.Hidden, 112, new JsonArray(7, 15, 23, 31));
    }

    /// <summary>Quantized blocks whose codes are one array of random bytes.</summary>
    private sealed class RandomLayer(ModelConfig config, QuantizationOptions options)
    {
        private readonly Random _random = new(1);
        private readonly Dictionary<long, byte[]> _codes = [];

        public QuantizedLayer Of(int layer)
        {
            var block = config.Decoder().Blocks[layer];
            return new QuantizedLayer
            {
                Index = layer,
                Linears = block.Linears.ToDictionary(linear => linear.Name, linear => Weight(layer, linear)),
                Inputs = block.Linears.DistinctBy(linear => linear.Group).ToDictionary(linear => linear.Group, linear => new InputTransform([Ones(linear.Inputs), Ones(linear.Inputs), []], linear.Inputs & -linear.Inputs)),
            };
        }

        public SortedDictionary<string, int> RanksOf(int layer, string name)
        {
            var linear = config.Decoder().Blocks[layer].Linears.First(linear => linear.Name == name);
            return new(StringComparer.Ordinal) { [nameof(Modality.Vision)] = options.RankFor(layer, linear, Modality.Vision) };
        }

        private QuantizedWeight Weight(int layer, DecoderLinear linear)
        {
            var (scheme, rank) = (options.SchemeFor(layer, linear.Group), options.RankFor(layer, linear, Modality.Vision));
            var bytes = PackingLayout.PackedBytes(linear.Outputs, linear.Inputs, scheme.WeightBits);
            if (!_codes.TryGetValue(bytes, out var codes))
            {
                _random.NextBytes(_codes[bytes] = codes = new byte[bytes]);
            }

            return new QuantizedWeight
            {
                Scheme = scheme,
                Outputs = linear.Outputs,
                Inputs = linear.Inputs,
                Codes = codes,
                Scales = Enumerable.Repeat(scheme.WeightBits == 8 ? 0.0002f : 0.003f, linear.Outputs).ToArray(),
                Patches = [null, new LowRankFactors(new Matrix(linear.Inputs, rank), new Matrix(rank, linear.Outputs)), null],
            };
        }

        private static float[] Ones(int count) => [.. Enumerable.Repeat(1f, count)];
    }
}
