using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models;

/// <summary>All that tells one family of models from another: files, tensors, structure, prompts. Stateless.</summary>
/// <remarks>A family is one such object in a folder of its own. <c>docs/extending.md</c> says how to add one.</remarks>
public abstract class ModelFamily
{
    /// <summary>The name in manifests and generated code, a C# identifier: <c>Family2VL</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The name in messages, as its authors write it: <c>Family2-VL</c>.</summary>
    public abstract string DisplayName { get; }

    /// <summary>The values of <c>model_type</c> in <c>config.json</c>, the usual one first.</summary>
    public abstract IReadOnlyList<string> ModelTypes { get; }

    /// <summary>What its models take, text first.</summary>
    public abstract IReadOnlyList<Modality> Modalities { get; }

    /// <summary>How checkpoints name their tensors.</summary>
    public abstract TensorNames TensorNames { get; }

    /// <summary>The markers of a conversation's turns.</summary>
    public abstract ChatFormat Chat { get; }

    /// <summary>What holds where <c>preprocessor_config.json</c> says nothing.</summary>
    public abstract PreprocessorConfig Preprocessor { get; }

    /// <summary>The classes of processors, as files name them, whose work is done here; empty: whatever they are named.</summary>
    public virtual IReadOnlyList<string> Processors => [];

    /// <summary>The object of <c>config.json</c> that describes the model: the root, unless the model is a part of a larger one.</summary>
    /// <exception cref="MASQuantException">MASQ0201: it is missing.</exception>
    public virtual ConfigSection ModelSection(ConfigSection root) => root;

    /// <summary>Reads the model's extents; values that the code cannot honour are refused.</summary>
    /// <param name="model">What <see cref="ModelSection"/> gave.</param>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0203 unsupported value.</exception>
    public abstract ModelConfig ReadConfig(ConfigSection model);

    /// <summary>What the language model is made of.</summary>
    public abstract DecoderDescription Decoder(ModelConfig config);

    /// <summary>What the vision tower is made of.</summary>
    public abstract VisionTowerDescription VisionTower(ModelConfig config);

    /// <summary>What the audio tower is made of; null for a model that does not hear.</summary>
    public virtual AudioTowerDescription? AudioTower(ModelConfig config) => null;

    /// <summary>What a prompt holds for an image, a video or an audio clip: text, tokens, and one placeholder for each of its extents.</summary>
    /// <param name="medium">One of <see cref="Modalities"/>.</param>
    /// <param name="config">Gives the tokens.</param>
    public virtual IReadOnlyList<TextSegment> Write(ContentPart medium, ModelConfig config) => medium switch
    {
        ImagePart => Between(config.VisionStartTokenId, config.ImageTokenId, config.VisionEndTokenId),
        VideoPart => Between(config.VisionStartTokenId, config.VideoTokenId, config.VisionEndTokenId),
        AudioPart => Between(config.AudioStartTokenId, config.AudioTokenId, config.AudioEndTokenId),
        _ => throw new NotSupportedException($"{medium.GetType().Name} has no place in a prompt of {DisplayName}."),
    };

    /// <summary>How a video's tokens lie in the sequence: one extent for each placeholder that <see cref="Write"/> gave it.</summary>
    /// <param name="config">Gives the placeholder and the positions per second.</param>
    /// <param name="frames">Temporal rows of patches.</param>
    /// <param name="rows">Rows of patches, before merging.</param>
    /// <param name="columns">Columns of patches, before merging.</param>
    /// <param name="secondsPerFrame">Seconds between two temporal rows.</param>
    public virtual IReadOnlyList<MediaExtent> VideoExtents(ModelConfig config, int frames, int rows, int columns, double secondsPerFrame)
        => [MediaExtent.Video(config, frames, rows, columns, secondsPerFrame)];

    /// <summary>How frames are taken of a video that has more than are looked at.</summary>
    /// <param name="config">Gives the frames of a patch.</param>
    public virtual FrameSampling Sampling(ModelConfig config) => new();

    /// <summary>Whether a video may carry its sound (<see cref="VideoPart.Sound"/>).</summary>
    public virtual bool HearsVideos => false;

    /// <summary>How the tokens of a video and of its sound follow each other, where <see cref="HearsVideos"/>.</summary>
    /// <param name="config">Gives the length of a chunk.</param>
    /// <param name="video">The whole video.</param>
    /// <param name="sound">The whole sound.</param>
    /// <returns>Runs; the first has the placeholder.</returns>
    public virtual IReadOnlyList<MediaExtent> Interleave(ModelConfig config, MediaExtent video, MediaExtent sound) => throw new NotSupportedException($"{DisplayName} hears no videos.");

    /// <summary><see cref="Name"/>.</summary>
    public sealed override string ToString() => Name;

    private static TextSegment[] Between(int start, int placeholder, int end) => [TextSegment.Token(start), TextSegment.Token(placeholder), TextSegment.Token(end)];
}
