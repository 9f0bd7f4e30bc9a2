using System.Globalization;
using MASQuant.Diagnostics;
using MASQuant.Engine.Audio;
using MASQuant.Engine.Audio.Preprocessing;
using MASQuant.Engine.Vision.Images;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>Counts media's tokens by their headers; nothing is decoded. Threads may share it.</summary>
/// <param name="config">The model's facts.</param>
/// <param name="preprocessor">What is done to media before.</param>
/// <param name="budget">How many pixels images keep.</param>
internal sealed class MediaCounter(ModelConfig config, PreprocessorConfig preprocessor, ImageBudget budget)
{
    // Text follows the media, and positions are 32-bit.
    private const int LastPosition = 1 << 30;

    /// <summary>What is too much.</summary>
    public ModelLimits Limits { get; } = budget.Limits;

    /// <summary>What reads images of further formats.</summary>
    public IReadOnlyList<IImageDecoder> ImageDecoders { get; } = budget.ImageDecoders;

    /// <summary>Cuts images and videos.</summary>
    public ImagePreprocessor Images { get; } = new(preprocessor, config.Vision);

    /// <summary>Cuts clips; null for a model that does not hear.</summary>
    public LogMelSpectrogram? Spectrogram { get; } = config.Audio is null ? null : new LogMelSpectrogram(preprocessor);

    /// <summary>Reads the header of an image, a video's first frame or an audio clip.</summary>
    /// <exception cref="MASQuantException">The medium cannot be read or is of no use to the model.</exception>
    public CountedMedium Count(ContentPart part, CancellationToken cancellationToken = default) => part switch
    {
        ImagePart image => CountImage(image, cancellationToken),
        VideoPart video => CountVideo(video, cancellationToken),
        AudioPart clip => CountAudio(clip, cancellationToken),
        _ => throw new NotSupportedException($"{part.GetType().Name} is no medium."),
    };

    private CountedMedium CountImage(ImagePart image, CancellationToken cancellationToken)
    {
        var (file, name) = (image.Source.Read(Limits, cancellationToken), image.Source.Name);
        var (width, height) = ImageDecoder.ReadExtents(file.Span, name, Limits, ImageDecoders);
        var limits = budget.Of(Images.ImageLimits, image.MinPixels, image.MaxPixels);
        var (gridH, gridW) = Images.Grid(width, height, limits, name);
        RequirePatches(1, gridH, gridW, name);
        return new(image, file, name, [MediaExtent.Image(config, gridH, gridW)], limits);
    }

    private CountedMedium CountVideo(VideoPart video, CancellationToken cancellationToken)
    {
        var secondsPerFrame = SecondsPerFrame(video);
        var (first, name) = (video.Frames[0].Read(Limits, cancellationToken), video.Frames[0].Name);
        var (width, height) = ImageDecoder.ReadExtents(first.Span, name, Limits, ImageDecoders);
        var limits = budget.Of(Images.VideoLimits, video.MinPixels, video.MaxPixels, Images.VideoLimitsCountFrames ? video.Frames.Count : 1);
        var (gridT, gridH, gridW) = Images.VideoGrid(video.Frames.Count, width, height, limits, name);
        RequirePatches(gridT, gridH, gridW, name);
        var extents = config.Family.VideoExtents(config, gridT, gridH, gridW, secondsPerFrame);
        if (video.Sound is null)
        {
            return new(video, first, name, extents, limits);
        }

        // What is longer than the model's positions, or the limit, is refused by its length, whatever its order.
        var sound = CountAudio(new AudioPart(video.Sound), cancellationToken);
        var apart = new CountedMedium(video, first, name, [extents[0], sound.Extents[0]], limits) { Sound = sound };
        return apart.Tokens > Math.Min(config.Text.MaxPositions, Limits.PromptTokens) ? apart : apart with { Extents = config.Family.Interleave(config, extents[0], sound.Extents[0]) };
    }

    /// <summary>Seconds of a temporal row; refuses videos without frames or whose last stands beyond any position.</summary>
    private double SecondsPerFrame(VideoPart video)
    {
        if (video.Frames.Count == 0)
        {
            throw ImagePreprocessor.NoVideo(null);
        }

        if (video.Frames.Count > Limits.VideoFrames)
        {
            throw new MASQuantException(DiagnosticCodes.MediumTooLarge, video.Frames[0].Name, string.Create(CultureInfo.InvariantCulture,
                $"The video has {video.Frames.Count} frames; the limit is {Limits.VideoFrames} (ModelLimits.VideoFrames). Give fewer a second, or raise the limit."));
        }

        var seconds = config.Vision.TemporalPatchSize / video.FramesPerSecond;
        return seconds > 0 && seconds * config.PositionsPerSecond * video.Frames.Count <= LastPosition ? seconds : throw new MASQuantException(DiagnosticCodes.ImageShapeNotSupported, video.Frames[0].Name,
            string.Create(CultureInfo.InvariantCulture, $"The video has {video.Frames.Count} frames at {video.FramesPerSecond} a second, which no positions can express. Give the rate at which the frames were taken."));
    }

    // What pixels are resized to is the checkpoint's or the prompt's choice, and may be far more than the file has.
    private void RequirePatches(int gridT, int gridH, int gridW, string name)
    {
        var side = config.Vision.PatchSize;
        var pixels = (long)gridH * side * gridW * side;
        if (pixels > Limits.ImagePixels)
        {
            throw new MASQuantException(DiagnosticCodes.ImageTooLarge, name, string.Create(CultureInfo.InvariantCulture,
                $"The image is to be resized to {gridW * (long)side} × {gridH * (long)side} pixels; the limit is {Limits.ImagePixels} (ModelLimits.ImagePixels). Ask for fewer pixels than the model's files do (MinPixels, MaxPixels), or raise the limit."));
        }

        Limits.RequireBytes(pixels * gridT * config.Vision.Channels * config.Vision.TemporalPatchSize * sizeof(float), name);
    }

    // The chat format has refused clips that the model cannot hear.
    private CountedMedium CountAudio(AudioPart clip, CancellationToken cancellationToken)
    {
        var name = clip.Source.Name;
        var file = AudioTranscoder.AsWav(clip.Source.Read(Limits, cancellationToken), name, Limits, budget.AudioDecoders, cancellationToken);
        var frames = Spectrogram!.CountFrames(AudioDecoder.CountSamples(file.Span, name, Limits), name);
        var tokens = AudioTower.TokenCount(frames);
        return tokens > 0 ? new(clip, file, name, [MediaExtent.Audio(config, tokens)]) : throw AudioDecoder.Corrupt(name, "it is too short to make a token");
    }
}
