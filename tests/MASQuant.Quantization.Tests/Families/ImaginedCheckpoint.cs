using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Families;

/// <summary>vl-tiny's weights as a checkpoint of <see cref="ImaginedFamily"/>.</summary>
internal static class ImaginedCheckpoint
{
    private const string Config = """
        {
          "model_type": "imagined_one",
          "mind": {
            "words": { "rope_scaling": { "type": "mrope", "mrope_section": [4, 6, 6] }, "vocab_size": 1280, "tie_word_embeddings": true, "eos_token_id": 1200 },
            "eyes": { "depth": 3, "width": 64, "inner": 96 }
          }
        }
        """;

    /// <summary>The families that know it.</summary>
    public static ModelFamilies Families { get; } = new([.. ModelFamilies.Known.All, new ImaginedFamily()]);

    /// <summary>Writes it into <paramref name="folder"/>, beside a tensor of another part, which lies outside <c>mind.</c></summary>
    public static string Write(string folder)
    {
        Directory.CreateDirectory(folder);
        using var source = SafetensorsFile.Open(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"));
        var tensors = source.Tensors.Select(tensor => TensorPayload.From(source, tensor, Stored(tensor.Name)))
            .Append(TensorPayload.OfFloats("words.norm.weight", new float[4], 4));
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config);
        File.WriteAllText(Path.Combine(folder, "preprocessor_config.json"), "{}"); // The family's own values hold.
        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "tokenizer.json"), Path.Combine(folder, "tokenizer.json"));

        return folder;
    }

    private static string Stored(string name) => "mind." + (name.StartsWith("visual.", StringComparison.Ordinal) ? $"eyes.{name["visual.".Length..]}" : $"words.{name["model.".Length..]}");
}
