using MASQuant.AudioFormats;
using MASQuant.Engine.Audio.Preprocessing;
using MASQuant.Engine.Vision.Images;
using MASQuant.Skia;

namespace MASQuant.Fuzz.Readers;

/// <summary>Media of strangers.</summary>
internal static class MediumReaders
{
    /// <summary>Small, so that a mutated header reaches them.</summary>
    public static ModelLimits Limits { get; } = new() { ImagePixels = 1 << 20, MediumBytes = 1 << 24, AudioSeconds = 60 };

    private static IImageDecoder[] ImageDecoders { get; } = [new SkiaImageDecoder()];

    private static IAudioDecoder[] AudioDecoders { get; } = [new Mp3Decoder()];

    /// <summary>Extents that are counted are those that are decoded.</summary>
    public static void Image(byte[] file)
    {
        var (width, height) = ImageDecoder.ReadExtents(file, null, Limits, ImageDecoders);
        var image = ImageDecoder.Decode(file, null, Limits, ImageDecoders);
        if ((width, height) != (image.Width, image.Height))
        {
            throw new InvalidOperationException($"The header says {width} × {height}; there are {image.Width} × {image.Height} pixels.");
        }
    }

    /// <summary>Samples that are counted are those that are decoded.</summary>
    public static void Sound(byte[] input)
    {
        var file = AudioTranscoder.AsWav(input, "input", Limits, AudioDecoders).Span;
        var count = AudioDecoder.CountSamples(file, null, Limits);
        var samples = AudioDecoder.Decode(file, null, Limits);
        if (count != samples.Length || !samples.All(float.IsFinite))
        {
            throw new InvalidOperationException($"{count} samples were counted, {samples.Length} decoded, or one is not finite.");
        }
    }
}
