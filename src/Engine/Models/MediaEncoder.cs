using System.Security.Cryptography;
using MASQuant.Diagnostics;
using MASQuant.Engine.Audio;
using MASQuant.Engine.Audio.Preprocessing;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Images;
using MASQuant.Engine.Vision.Preprocessing;

namespace MASQuant.Engine.Models;

/// <summary>Turns media into tokens of the decoder's width. Threads may share it.</summary>
/// <param name="counter">Has counted the media, and knows how they are cut.</param>
/// <param name="vision">Takes images and videos.</param>
/// <param name="audio">Takes clips; null for a model that does not hear.</param>
internal sealed class MediaEncoder(MediaCounter counter, IVisionTower vision, IAudioTower? audio)
{
    /// <summary>Runs a medium through its tower, a video with sound through both.</summary>
    /// <param name="medium">An image, a video or an audio clip.</param>
    /// <param name="cancellationToken">Obeyed between rows of an image and between the tower's blocks.</param>
    /// <exception cref="MASQuantException">The medium cannot be decoded.</exception>
    public EncodedMedium Encode(CountedMedium medium, CancellationToken cancellationToken) => medium.Part switch
    {
        VideoPart video => Seen(medium, vision.Forward(Patches(video, medium, cancellationToken), cancellationToken)) with { Heard = medium.Sound is { } sound ? Heard(sound, cancellationToken) : null },
        AudioPart => new(medium.Extents, null, Heard(medium, cancellationToken), []),
        _ => Seen(medium, vision.Forward(counter.Images.Process(Decode(medium.File.Span, medium.Name, cancellationToken), medium.Limits, medium.Name), cancellationToken)),
    };

    private static EncodedMedium Seen(CountedMedium medium, VisionTokens tokens) => new(medium.Extents, tokens.Tokens, null, tokens.Deepstack);

    private Matrix Heard(CountedMedium clip, CancellationToken cancellationToken)
        => audio!.Forward(counter.Spectrogram!.Process(AudioDecoder.Decode(clip.File.Span, clip.Name, counter.Limits), clip.Name), cancellationToken);

    private ImagePatches Patches(VideoPart video, CountedMedium medium, CancellationToken cancellationToken)
    {
        var extents = Extents(medium.File.Span, medium.Name);
        var frames = video.Frames.Select((frame, place) => place == 0 ? Decode(medium.File.Span, medium.Name, cancellationToken) : DecodeFrame(frame, extents, medium.FrameHashes?[place], cancellationToken));
        return counter.Images.ProcessVideo(frames, video.Frames.Count, medium.Limits, medium.Name);
    }

    // Frames of another size have not been counted, and others than those that were hashed are another video.
    private RgbImage DecodeFrame(MediaSource frame, (int, int) extents, byte[]? hash, CancellationToken cancellationToken)
    {
        var file = frame.Read(counter.Limits, cancellationToken).Span;
        if (hash is not null && !hash.AsSpan().SequenceEqual(SHA256.HashData(file)))
        {
            throw new MASQuantException(DiagnosticCodes.InputChanged, frame.Name, "The frame has changed while its video was read. Ask again, of files that nothing writes to.");
        }

        return Extents(file, frame.Name) == extents ? Decode(file, frame.Name, cancellationToken) : throw ImagePreprocessor.NoVideo(frame.Name);
    }

    private (int Width, int Height) Extents(ReadOnlySpan<byte> file, string name) => ImageDecoder.ReadExtents(file, name, counter.Limits, counter.ImageDecoders);

    private RgbImage Decode(ReadOnlySpan<byte> file, string name, CancellationToken cancellationToken) => ImageDecoder.Decode(file, name, counter.Limits, counter.ImageDecoders, cancellationToken);
}
