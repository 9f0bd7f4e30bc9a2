using System.Globalization;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Tests;

/// <summary>A checkpoint of random weights whose tower leaves rows for the decoder's first blocks, and whose heads are normed and together wider than the stream; or one most of whose layers carry a state. Tensors are those of its description; the tokenizer is vl-tiny's.</summary>
internal static class SmallCheckpoint
{
    private const string Config = """
        {
          "model_type": "qwen3_vl", "image_token_id": 1212, "video_token_id": 1213, "vision_start_token_id": 1209, "vision_end_token_id": 1210,
          "text_config": {
            "hidden_size": 128, "num_hidden_layers": 3, "intermediate_size": 256, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 1280,
            "rope_scaling": { "rope_type": "default", "mrope_section": [12, 10, 10], "mrope_interleaved": true }, "max_position_embeddings": 4096, "tie_word_embeddings": true
          },
          "vision_config": {
            "depth": 3, "hidden_size": 64, "intermediate_size": 96, "num_heads": 4, "out_hidden_size": 128, "num_position_embeddings": 16, "deepstack_visual_indexes": [0, 1]
          }
        }
        """;

    private const string StateConfig = """
        {
          "model_type": "qwen3_5", "image_token_id": 1212, "video_token_id": 1213, "vision_start_token_id": 1209, "vision_end_token_id": 1210,
          "text_config": {
            "hidden_size": 128, "num_hidden_layers": 4, "intermediate_size": 256, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 1280,
            "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 32, "linear_value_head_dim": 32,
            "rope_parameters": { "rope_type": "default", "rope_theta": 10000000, "mrope_section": [3, 3, 2], "mrope_interleaved": true }, "max_position_embeddings": 4096, "tie_word_embeddings": true
          },
          "vision_config": { "depth": 2, "hidden_size": 64, "intermediate_size": 96, "num_heads": 4, "out_hidden_size": 128, "num_position_embeddings": 16 }
        }
        """;

    private const string Processor = """{ "size": { "shortest_edge": 4096, "longest_edge": 65536 }, "patch_size": 16, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5] }""";

    public static string Write(string folder) => Write(folder, Config);

    /// <summary>The one whose layers carry a state.</summary>
    public static string WriteWithStates(string folder, int keySize = 32)
        => Write(folder, StateConfig.Replace("\"linear_key_head_dim\": 32", string.Create(CultureInfo.InvariantCulture, $"\"linear_key_head_dim\": {keySize}"), StringComparison.Ordinal));

    /// <summary>The one whose layers carry a state, with a head that guesses ahead.</summary>
    public static string WriteWithGuessHead(string folder) => Write(folder, StateConfig, guesses: true);

    private static string Write(string folder, string json, bool guesses = false)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), json);
        File.WriteAllText(Path.Combine(folder, "preprocessor_config.json"), Processor);
        File.WriteAllText(Path.Combine(folder, "generation_config.json"), """{ "eos_token_id": 1200 }""");
        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "tokenizer.json"), Path.Combine(folder, "tokenizer.json"));
        var config = ModelConfigReader.ReadFolder(folder);
        var random = new Random(3);
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), [.. Tensors(config.Decoder(), config.VisionTower()).Concat(guesses ? Tensors(config.Decoder().GuessHead!) : []).Select(tensor => Payload(tensor, random))]);
        return folder;
    }

    private static IEnumerable<(string Name, int Rows, int Columns, float Mean, float Range)> Tensors(DecoderDescription decoder, VisionTowerDescription tower)
    {
        yield return (decoder.Embedding, decoder.Config.VocabularySize, decoder.Config.HiddenSize, 0, 1);
        yield return (tower.Positions!.Name, tower.Positions.Side * tower.Positions.Side, tower.Config.HiddenSize, 0, 1);
        foreach (var tensor in Linear("", tower.PatchEmbedding).Concat(Norm("", decoder.FinalNorm)))
        {
            yield return tensor;
        }

        foreach (var tensor in decoder.Blocks.Concat(tower.Blocks).Concat(tower.Mergers).SelectMany(Block))
        {
            yield return tensor;
        }
    }

    private static IEnumerable<(string, int, int, float, float)> Tensors(GuessHeadDescription head)
        => [.. new[] { head.EmbeddingNorm, head.HiddenNorm, head.FinalNorm }.SelectMany(norm => Norm("", norm)), .. Projection(GuessHeadDescription.Prefix, head.Join), .. Block(head.Block)];

    private static IEnumerable<(string, int, int, float, float)> Block(BlockDescription block) =>
    [
        .. block.Norms.Distinct().SelectMany(norm => Norm(block.Prefix, norm)),
        .. block.Projections.SelectMany(step => Projection(block.Prefix, step)),
        .. block.Parameters.Select(parameter => (block.Prefix + parameter.Name, parameter.Rows, parameter.Columns, parameter.Columns == 0 ? -1f : 0, 1f)),
    ];

    private static IEnumerable<(string, int, int, float, float)> Projection(string prefix, ProjectStep step) => step.FusedName is { } name
        ? Linear(prefix, step.Linears[0] with { Name = name, Outputs = step.Linears.Sum(linear => linear.Outputs) })
        : step.Linears.SelectMany(linear => Linear(prefix, linear));

    // Outputs of unit size for inputs of unit size.
    private static IEnumerable<(string, int, int, float, float)> Linear(string prefix, LinearDescription linear)
    {
        yield return ($"{prefix}{linear.Name}.weight", linear.Outputs, linear.Inputs, 0, MathF.Sqrt(3f / linear.Inputs));
        if (linear.Bias == BiasPresence.Required)
        {
            yield return ($"{prefix}{linear.Name}.bias", linear.Outputs, 0, 0, 0.2f);
        }
    }

    private static IEnumerable<(string, int, int, float, float)> Norm(string prefix, NormDescription norm)
    {
        yield return ($"{prefix}{norm.Name}.weight", norm.Size, 0, norm.IsStoredLessOne ? 0 : 1, 0.5f);
        if (norm.Kind == NormKind.Layer)
        {
            yield return ($"{prefix}{norm.Name}.bias", norm.Size, 0, 0, 0.2f);
        }
    }

    private static TensorPayload Payload((string Name, int Rows, int Columns, float Mean, float Range) tensor, Random random)
    {
        var values = Enumerable.Range(0, tensor.Rows * Math.Max(1, tensor.Columns)).Select(_ => tensor.Mean + (((random.NextSingle() * 2) - 1) * tensor.Range)).ToArray();
        return TensorPayload.OfBFloat16(tensor.Name, values, tensor.Columns == 0 ? [tensor.Rows] : [tensor.Rows, tensor.Columns]);
    }
}
