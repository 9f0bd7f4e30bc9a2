using MASQuant.Diagnostics;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Formats.Configuration;

/// <summary>Reads <c>config.json</c> of Qwen2.5-VL (flat as on the hub, or with the <c>text_config</c> of newer tools) and of Qwen2.5-Omni (whole, or its thinker alone).
/// An absent member takes the default of transformers 4.52; a value that the model code cannot honour is refused.</summary>
public static class ModelConfigReader
{
    /// <summary>The file's name.</summary>
    public const string FileName = "config.json";

    private const int MaxTokenId = int.MaxValue;

    /// <summary>Reads the configuration of a checkpoint or an artifact.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0202 unknown architecture, MASQ0203 unsupported value, MASQ0204 missing.</exception>
    public static ModelConfig Read(IModelSource source) => Read(source.ReadFile(FileName), Path.Combine(source.Path, FileName));

    /// <summary>Reads the configuration in a checkpoint's folder, whose weights need not be there.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0202 unknown architecture, MASQ0203 unsupported value, MASQ0204 missing.</exception>
    public static ModelConfig ReadFolder(string folder)
        => Checkpoint.TryReadFile(folder, FileName, out var json)
            ? Read(json, Path.Combine(folder, FileName))
            : throw new MASQuantException(DiagnosticCodes.ModelFileMissing, folder, $"The folder lacks '{FileName}'. Give the folder of a checkpoint in the hub's layout.");

    /// <summary>Reads the content of <c>config.json</c>; <paramref name="file"/> is the name for messages.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0202 unknown architecture, MASQ0203 unsupported value.</exception>
    public static ModelConfig Read(ReadOnlyMemory<byte> json, string file) => ConfigSection.Read(json, file, root => root.Text("model_type") switch
    {
        "qwen2_5_vl" => ReadVL(root),
        "qwen2_5_omni" => ReadThinker(root.Required("thinker_config")),
        "qwen2_5_omni_thinker" => ReadThinker(root),
        var other => throw new MASQuantException(DiagnosticCodes.ArchitectureUnknown, file,
            $"The architecture '{other ?? "(no model_type)"}' is not supported. Use a Qwen2.5-VL (qwen2_5_vl) or Qwen2.5-Omni (qwen2_5_omni) checkpoint."),
    });

    private static ModelConfig ReadVL(ConfigSection root)
    {
        var textSection = root.Section("text_config") ?? root;
        var text = TextConfigReader.Read(textSection, root, TextConfigReader.VLDefaults);
        int TokenId(string key, int fallback) => root.Whole(key, 0, MaxTokenId, textSection.Whole(key, 0, MaxTokenId, fallback));
        return Checked(root, new ModelConfig
        {
            Family = ModelFamily.Qwen25VL,
            Text = text,
            Vision = TowerConfigReader.ReadVision(root.Required("vision_config"), text),
            ImageTokenId = TokenId("image_token_id", 151655),
            VideoTokenId = TokenId("video_token_id", 151656),
            VisionStartTokenId = TokenId("vision_start_token_id", 151652),
            VisionEndTokenId = TokenId("vision_end_token_id", 151653),
        });
    }

    private static ModelConfig ReadThinker(ConfigSection thinker)
    {
        var text = TextConfigReader.Read(thinker.Required("text_config"), thinker, TextConfigReader.OmniDefaults);
        int TokenId(string key, string olderKey, int fallback) => thinker.Whole(key, olderKey, 0, MaxTokenId, fallback);
        return Checked(thinker, new ModelConfig
        {
            Family = ModelFamily.Qwen25Omni,
            Text = text,
            Vision = TowerConfigReader.ReadVision(thinker.Required("vision_config"), text),
            Audio = TowerConfigReader.ReadAudio(thinker.Required("audio_config"), text),
            ImageTokenId = TokenId("image_token_id", "image_token_index", 151655),
            VideoTokenId = TokenId("video_token_id", "video_token_index", 151656),
            AudioTokenId = TokenId("audio_token_id", "audio_token_index", 151646),
            VisionStartTokenId = TokenId("vision_start_token_id", "vision_start_token_index", 151652),
            VisionEndTokenId = TokenId("vision_end_token_id", "vision_end_token_index", 151653),
            AudioStartTokenId = TokenId("audio_start_token_id", "audio_start_token_index", 151647),
            AudioEndTokenId = TokenId("audio_end_token_id", "audio_end_token_index", 151648),
            PositionIdPerSeconds = thinker.Whole("position_id_per_seconds", 1, 10_000, 25),
            SecondsPerChunk = thinker.Number("seconds_per_chunk", 0.01, 3600, 2),
        });
    }

    // A default id can lie outside a small vocabulary as well as a given one.
    private static ModelConfig Checked(ConfigSection section, ModelConfig config)
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
