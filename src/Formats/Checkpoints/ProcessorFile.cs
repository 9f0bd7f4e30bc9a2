using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Checkpoints;

/// <summary>Where checkpoints say what one processor does: transformers 5 puts all processors into <c>processor_config.json</c>; before, each had a file, and the first Qwen checkpoints have images and sound in one.</summary>
/// <param name="Member">The object in <c>processor_config.json</c>; where it is there, it counts.</param>
/// <param name="FileName">The file of its own.</param>
internal sealed record ProcessorFile(string Member, string FileName)
{
    /// <summary>The name of the file that holds all processors.</summary>
    public const string Common = "processor_config.json";

    public static ProcessorFile Images { get; } = new("image_processor", "preprocessor_config.json");

    public static ProcessorFile Videos { get; } = new("video_processor", "video_preprocessor_config.json");

    public static ProcessorFile Sound { get; } = new("feature_extractor", "preprocessor_config.json");

    /// <summary>What <paramref name="read"/> makes of the processor's members; null where no file has them.</summary>
    public T? Read<T>(IModelSource source, Func<ConfigSection, T> read)
        where T : class
    {
        if (source.TryReadFile(Common, out var common)
            && ConfigSection.Read(common, Path.Combine(source.Path, Common), root => root.Section(Member) is { } section ? read(section) : null) is { } found)
        {
            return found;
        }

        return source.TryReadFile(FileName, out var own) ? ConfigSection.Read(own, Path.Combine(source.Path, FileName), read) : null;
    }
}
