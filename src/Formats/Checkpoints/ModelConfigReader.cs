using MASQuant.Diagnostics;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;

namespace MASQuant.Formats.Checkpoints;

/// <summary>Reads <c>config.json</c>: its <c>model_type</c> says which family reads the rest.</summary>
public static class ModelConfigReader
{
    /// <summary>The file's name.</summary>
    public const string FileName = "config.json";

    // transformers' name, and MLX's.
    private static readonly string[] QuantizationKeys = ["quantization_config", "quantization"];

    /// <summary>Reads the configuration of a checkpoint or an artifact. Whether the head is the embedding is what the tensors say, if the file contradicts them or itself.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0202 unknown architecture, MASQ0203 unsupported value, MASQ0204 missing.</exception>
    public static ModelConfig Read(IModelSource source)
        => ResolveHead(source, ConfigSection.Read(source.ReadFile(FileName), Path.Combine(source.Path, FileName), root => Read(root, source.Family)));

    /// <summary>Reads the configuration in a checkpoint's folder, whose weights need not be there.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0202 unknown architecture, MASQ0203 unsupported value, MASQ0204 missing.</exception>
    public static ModelConfig ReadFolder(string folder)
        => Checkpoint.TryReadFile(folder, FileName, out var json)
            ? Read(json, Path.Combine(folder, FileName))
            : throw ForeignCheckpoint.AdapterIn(folder) ?? new MASQuantException(DiagnosticCodes.ModelFileMissing, folder, $"The folder lacks '{FileName}'. Give the folder of a checkpoint in the hub's layout.");

    /// <summary>Reads the content of <c>config.json</c>; <paramref name="file"/> is the name for messages.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0202 unknown architecture, MASQ0203 unsupported value.</exception>
    public static ModelConfig Read(ReadOnlyMemory<byte> json, string file)
        => ConfigSection.Read(json, file, root => Read(root, ModelFamilies.Known.Recognize(root, file)));

    /// <summary>Reads the content of <c>config.json</c> of a model of <paramref name="family"/>, by what the file says alone.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static ModelConfig Read(ReadOnlyMemory<byte> json, string file, ModelFamily family) => ConfigSection.Read(json, file, root => Read(root, family));

    private static ModelConfig Read(ConfigSection root, ModelFamily family)
    {
        var model = family.ModelSection(root);
        RequireFullPrecision(root);
        RequireFullPrecision(model);
        if (model.Section("text_config") is { } text)
        {
            RequireFullPrecision(text);
        }

        return CheckTokens(model, family.ReadConfig(model));
    }

    // What is stored counts more than what is said: a trained head is saved beside a configuration that still ties it, and tools disagree about where to say it.
    private static ModelConfig ResolveHead(IModelSource source, ModelConfig config)
    {
        var untied = config with { Text = config.Text with { TieWordEmbeddings = false } };
        var decoder = untied.Decoder();
        if (source.Has(decoder.Head))
        {
            return untied;
        }

        if (config.Text.TieWordEmbeddings || config.Text.IsTieContradicted)
        {
            return config with { Text = config.Text with { TieWordEmbeddings = true } };
        }

        return !source.Has(decoder.Embedding) ? config : throw new MASQuantException(DiagnosticCodes.TensorMissing, source.Path,
            $"Tensor '{decoder.Head}' is missing, and {FileName} says that the head is not the embedding. Save the model with its head; if its head is the embedding, set tie_word_embeddings to true.");
    }

    private static void RequireFullPrecision(ConfigSection section)
    {
        foreach (var key in QuantizationKeys)
        {
            if (section.Section(key) is { } quantization)
            {
                throw quantization.Refuse(DiagnosticCodes.CheckpointQuantized,
                    $"The weights are quantized already ('{key}', {quantization.Text("quant_method") ?? $"{quantization.Whole("bits", 1, 64, 8)} bits"}); what they lost cannot be told any more. Take the original checkpoint, in BF16, F16 or F32.");
            }
        }
    }

    // A default id can lie outside a small vocabulary as well as a given one.
    private static ModelConfig CheckTokens(ConfigSection section, ModelConfig config)
    {
        (string Key, int Id)[] ids =
        [
            ("image_token_id", config.ImageTokenId), ("video_token_id", config.VideoTokenId), ("audio_token_id", config.AudioTokenId),
            ("vision_start_token_id", config.VisionStartTokenId), ("vision_end_token_id", config.VisionEndTokenId),
            ("audio_start_token_id", config.AudioStartTokenId), ("audio_end_token_id", config.AudioEndTokenId),
        ];
        foreach (var (key, id) in ids)
        {
            if (id >= config.Text.VocabularySize)
            {
                throw section.Unsupported(key, $"is {id}; the vocabulary has {config.Text.VocabularySize} tokens");
            }
        }

        return config;
    }
}
