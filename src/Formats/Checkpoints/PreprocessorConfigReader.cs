using MASQuant.Diagnostics;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;

namespace MASQuant.Formats.Checkpoints;

/// <summary>Reads what is done to media: of <c>processor_config.json</c>, or of <c>preprocessor_config.json</c> and <c>video_preprocessor_config.json</c>. An absent member takes the family's value.</summary>
public static class PreprocessorConfigReader
{
    /// <summary>Reads the configuration of a checkpoint or an artifact.</summary>
    /// <param name="source">Has the files.</param>
    /// <param name="model">What its <c>config.json</c> says.</param>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value, MASQ0204 missing.</exception>
    public static PreprocessorConfig Read(IModelSource source, ModelConfig model)
    {
        var absent = model.Family.Preprocessor;
        var config = ProcessorFile.Images.Read(source, section => ImageProcessorReader.Read(Checked(section, "image_processor_type"), absent, model.Vision)) ?? throw Missing(source);
        if (model.Audio is { } audio)
        {
            config = ProcessorFile.Sound.Read(source, section => FeatureExtractorReader.Read(Checked(section, "feature_extractor_type"), config, audio)) ?? config;
        }

        return ProcessorFile.Videos.Read(source, section => VideoProcessorReader.Read(Checked(section, "video_processor_type"), config, model.Vision)) ?? config;

        ConfigSection Checked(ConfigSection section, string type) => section.Text(type) is { } name && model.Family.Processors is { Count: > 0 } known && !known.Contains(name)
            ? throw section.Unsupported(type, $"is '{name}'; {string.Join(", ", known)} are supported")
            : section;
    }

    private static MASQuantException Missing(IModelSource source) => new(DiagnosticCodes.ModelFileMissing, source.Path,
        $"The model lacks '{ProcessorFile.Images.FileName}', and '{ProcessorFile.Common}' with an '{ProcessorFile.Images.Member}' in its place. Take the processor's files from the checkpoint's repository and put them beside the weights.");
}
