using MASQuant.Diagnostics;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;

namespace MASQuant.Formats.Checkpoints;

/// <summary>Reads <c>config.json</c>: its <c>model_type</c> says which family reads the rest.</summary>
public static class ModelConfigReader
{
    /// <summary>The file's name.</summary>
    public const string FileName = "config.json";

    /// <summary>Reads the configuration of a checkpoint or an artifact.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0202 unknown architecture, MASQ0203 unsupported value, MASQ0204 missing.</exception>
    public static ModelConfig Read(IModelSource source)
        => ConfigSection.Read(source.ReadFile(FileName), Path.Combine(source.Path, FileName), root => Read(root, source.Family));

    /// <summary>Reads the configuration in a checkpoint's folder, whose weights need not be there.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0202 unknown architecture, MASQ0203 unsupported value, MASQ0204 missing.</exception>
    public static ModelConfig ReadFolder(string folder)
        => Checkpoint.TryReadFile(folder, FileName, out var json)
            ? Read(json, Path.Combine(folder, FileName))
            : throw new MASQuantException(DiagnosticCodes.ModelFileMissing, folder, $"The folder lacks '{FileName}'. Give the folder of a checkpoint in the hub's layout.");

    /// <summary>Reads the content of <c>config.json</c>; <paramref name="file"/> is the name for messages.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0202 unknown architecture, MASQ0203 unsupported value.</exception>
    public static ModelConfig Read(ReadOnlyMemory<byte> json, string file)
        => ConfigSection.Read(json, file, root => Read(root, ModelFamilies.Known.Recognize(root, file)));

    private static ModelConfig Read(ConfigSection root, ModelFamily family)
    {
        var model = family.ModelSection(root);
        return CheckTokens(model, family.ReadConfig(model));
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
