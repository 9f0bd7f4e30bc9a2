using System.Globalization;
using MASQuant.Diagnostics;
using MASQuant.Engine.Audio;
using MASQuant.Engine.Audio.Preprocessing;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Images;
using MASQuant.Engine.Vision.Pixels;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>Turns media into tokens of the decoder's width. Threads may share it.</summary>
/// <param name="config">The model's facts.</param>
/// <param name="preprocessor">What is done to media before.</param>
/// <param name="budget">How many pixels images keep.</param>
/// <param name="vision">Takes images and videos.</param>
/// <param name="audio">Takes clips; null for a model that does not hear.</param>
internal sealed class MediaEncoder(ModelConfig config, PreprocessorConfig preprocessor, ImageBudget budget, IVisionTower vision, IAudioTower? audio)
{
    // Text follows the media, and positions are 32-bit.
    private const int LastPosition = 1 << 30;

    private readonly ImagePreprocessor _images = new(preprocessor, config.Vision);
    private readonly LogMelSpectrogram? _spectrogram = config.Audio is null ? null : new LogMelSpectrogram(preprocessor);

    /// <summary>Runs a medium through its tower.</summary>
    /// <param name="part">An image, a video or an audio clip.</param>
    /// <param name="length">The prompt's, to which its tokens are added as its header counts them, before it is decoded.</param>
    /// <param name="cancellationToken">Obeyed between the tower's blocks.</param>
    /// <exception cref="MASQuantException">The medium cannot be read or is of no use to the model; MASQ0921: the prompt is longer than the model's positions.</exception>
    public EncodedMedium Encode(ContentPart part, PromptLength length, CancellationToken cancellationToken) => part switch
    {
        ImagePart image => EncodeImage(image, length, cancellationToken),
        VideoPart video => EncodeVideo(video, length, cancellationToken),
        AudioPart clip => EncodeAudio(clip, length, cancellationToken),
        _ => throw new NotSupportedException($"{part.GetType().Name} is no medium."),
    };

    private EncodedMedium EncodeImage(ImagePart image, PromptLength length, CancellationToken cancellationToken)
    {
        var (file, name) = (image.Source.Read(), image.Source.Name);
        var (width, height) = ImageDecoder.ReadExtents(file.Span, name);
        var limits = budget.Of(_images.ImageLimits, image.MinPixels, image.MaxPixels);
        var (gridH, gridW) = _images.Grid(width, height, limits, name);
        MediaExtent[] extents = [MediaExtent.Image(config, gridH, gridW)];
        length.Add(extents, name);
        return new(extents, vision.Forward(_images.Process(ImageDecoder.Decode(file.Span, name), limits, name), cancellationToken));
    }

    private EncodedMedium EncodeVideo(VideoPart video, PromptLength length, CancellationToken cancellationToken)
    {
        var secondsPerFrame = SecondsPerFrame(video);
        var (first, name) = (video.Frames[0].Read(), video.Frames[0].Name);
        var (width, height) = ImageDecoder.ReadExtents(first.Span, name);
        var limits = budget.Of(_images.VideoLimits, video.MinPixels, video.MaxPixels);
        var (gridT, gridH, gridW) = _images.VideoGrid(video.Frames.Count, width, height, limits, name);
        var extents = config.Family.VideoExtents(config, gridT, gridH, gridW, secondsPerFrame);
        length.Add(extents, name);
        var patches = _images.ProcessVideo([ImageDecoder.Decode(first.Span, name), .. video.Frames.Skip(1).Select(frame => DecodeFrame(frame, width, height))], limits, name);
        return new(extents, vision.Forward(patches, cancellationToken));
    }

    /// <summary>Seconds of a temporal row; refuses videos without frames or whose last stands beyond any position.</summary>
    private double SecondsPerFrame(VideoPart video)
    {
        if (video.Frames.Count == 0)
        {
            throw ImagePreprocessor.NoVideo(null);
        }

        var seconds = config.Vision.TemporalPatchSize / video.FramesPerSecond;
        return seconds > 0 && seconds * config.PositionsPerSecond * video.Frames.Count <= LastPosition ? seconds : throw new MASQuantException(DiagnosticCodes.ImageShapeNotSupported, video.Frames[0].Name,
            string.Create(CultureInfo.InvariantCulture, $"The video has {video.Frames.Count} frames at {video.FramesPerSecond} a second, which no positions can express. Give the rate at which the frames were taken."));
    }

    // The chat format has refused clips that the model cannot hear.
    private EncodedMedium EncodeAudio(AudioPart clip, PromptLength length, CancellationToken cancellationToken)
    {
        var (file, name) = (clip.Source.Read(), clip.Source.Name);
        var frames = _spectrogram!.CountFrames(AudioDecoder.CountSamples(file.Span, name), name);
        if (AudioTower.TokenCount(frames) == 0)
        {
            throw AudioDecoder.Corrupt(name, "it is too short to make a token");
        }

        MediaExtent[] extents = [MediaExtent.Audio(config, AudioTower.TokenCount(frames))];
        length.Add(extents, name);
        return new(extents, audio!.Forward(_spectrogram.Process(AudioDecoder.Decode(file.Span, name), name), cancellationToken));
    }

    // Frames of another size have not been counted.
    private static RgbImage DecodeFrame(MediaSource frame, int width, int height)
    {
        var file = frame.Read().Span;
        return ImageDecoder.ReadExtents(file, frame.Name) == (width, height) ? ImageDecoder.Decode(file, frame.Name) : throw ImagePreprocessor.NoVideo(frame.Name);
    }
}
