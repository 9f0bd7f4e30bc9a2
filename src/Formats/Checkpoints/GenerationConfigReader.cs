using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Checkpoints;

/// <summary>Reads <c>generation_config.json</c>; where it is absent, the end tokens of <c>config.json</c>.</summary>
public static class GenerationConfigReader
{
    /// <summary>The file's name.</summary>
    public const string FileName = "generation_config.json";

    /// <summary>Reads the configuration of a checkpoint or an artifact.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static GenerationConfig Read(IModelSource source)
    {
        var config = source.TryReadFile(FileName, out var json) ? Read(json, Path.Combine(source.Path, FileName)) : new GenerationConfig();
        return config.EndTokenIds.Count == 0 && source.TryReadFile(ModelConfigReader.FileName, out var model)
            ? config with { EndTokenIds = ConfigSection.Read(model, Path.Combine(source.Path, ModelConfigReader.FileName), root => ModelEndTokens(source.Family.ModelSection(root))) }
            : config;
    }

    /// <summary>Reads the content of the file; <paramref name="file"/> is the name for messages.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public static GenerationConfig Read(ReadOnlyMemory<byte> json, string file) => ConfigSection.Read(json, file, root =>
    {
        GenerationMembers.Check(root);
        return Read(root);
    });

    private static GenerationConfig Read(ConfigSection root) => new()
    {
        EndTokenIds = EndTokens(root) ?? [],
        Sample = root.Flag("do_sample", false),
        Temperature = root.Number("temperature", 0, 100, 1),
        TopP = Math.Max(double.Epsilon, root.Number("top_p", 0, 1, 1)), // 0 keeps the most probable token alone, as all that is small enough.
        TopK = Math.Max(0, root.Whole("top_k", -1, int.MaxValue, 50)), // −1 is how some tools write "all".
        MinP = root.Number("min_p", 0, 1, 0),
        RepetitionPenalty = root.Number("repetition_penalty", 1e-3, 1000, 1),
        PresencePenalty = root.Number("presence_penalty", -2, 2, 0),
        FrequencyPenalty = root.Number("frequency_penalty", -2, 2, 0),
        MaxNewTokens = root.Has("max_new_tokens") ? root.Whole("max_new_tokens", 1, int.MaxValue) : null,
        StopStrings = StopStrings(root),
    };

    private static string[] StopStrings(ConfigSection root)
    {
        var texts = root.Texts("stop_strings") ?? [];
        return texts.Contains("") ? throw root.Unsupported("stop_strings", "holds an empty text") : texts;
    }

    private static int[] ModelEndTokens(ConfigSection model)
        => EndTokens(model) ?? (model.Section("text_config") is { } text ? EndTokens(text) : null) ?? [];

    private static int[]? EndTokens(ConfigSection section) => section.Wholes("eos_token_id", 0, int.MaxValue);
}
