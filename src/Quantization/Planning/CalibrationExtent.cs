using System.Buffers.Binary;
using MASQuant.Engine.Models;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Planning;

/// <summary>How much calibration there is, estimated from texts' lengths and media files' headers.</summary>
/// <param name="Samples">Conversations.</param>
/// <param name="Tokens">Tokens of all of them.</param>
/// <param name="Longest">Tokens of the longest.</param>
public sealed record CalibrationExtent(int Samples, long Tokens, long Longest)
{
    private const double LettersPerToken = 3.5;
    private const int TokensPerMessage = 5;
    private const int UnknownImageTokens = 1024;

    /// <summary>What is assumed when no set is given: what the documentation asks for.</summary>
    public static CalibrationExtent Typical => new(128, 128 * 400, 1024);

    /// <summary>Adds up a set.</summary>
    /// <param name="conversations">The set.</param>
    /// <param name="config">The model's facts.</param>
    /// <param name="maxPixels">The most pixels of an image; null: what the processor takes unasked.</param>
    public static CalibrationExtent Of(IReadOnlyList<Conversation> conversations, ModelConfig config, int? maxPixels = null)
    {
        long[] tokens = [.. conversations.Select(conversation => (long)conversation.Messages.Sum(message => TokensPerMessage + message.Content.Sum(part => TokensOf(part, config, maxPixels ?? ImageBudget.ProcessorPixels))))];
        return new CalibrationExtent(tokens.Length, tokens.Sum(), tokens.Max());
    }

    /// <summary>Of so many samples, of the same mean.</summary>
    public CalibrationExtent Part(int samples) => samples == Samples ? this : new(samples, Tokens * samples / Samples, Longest);

    private static double TokensOf(ContentPart part, ModelConfig config, int maxPixels) => part switch
    {
        TextPart text => text.Text.Length / LettersPerToken,
        ImagePart image => Image(image.Source, config.Vision, maxPixels),
        VideoPart video => video.Frames.Sum(frame => Image(frame, config.Vision, maxPixels)) / config.Vision.TemporalPatchSize,
        AudioPart { Source.Path: { } path } when config.Audio is { } audio => WavSeconds(path) * audio.TokensPerSecond,
        _ => 0,
    };

    private static double Image(MediaSource source, VisionConfig vision, int maxPixels)
    {
        var side = (double)vision.PatchSize * vision.SpatialMergeSize;
        return source.Path is { } path && PngSize(path) is var (width, height) ? Math.Min(Math.Ceiling(width / side) * Math.Ceiling(height / side), maxPixels / (side * side)) : UnknownImageTokens;
    }

    // Width and height stand at fixed places; of other formats an image of about a megapixel is assumed.
    private static (uint Width, uint Height)? PngSize(string path)
    {
        var start = Start(path, 24);
        return start.Length == 24 && start.AsSpan(1, 3).SequenceEqual("PNG"u8)
            ? (BinaryPrimitives.ReadUInt32BigEndian(start.AsSpan(16)), BinaryPrimitives.ReadUInt32BigEndian(start.AsSpan(20)))
            : null;
    }

    private static double WavSeconds(string path)
    {
        var start = Start(path, 32);
        var bytesPerSecond = start.Length == 32 ? BinaryPrimitives.ReadUInt32LittleEndian(start.AsSpan(28)) : 0;
        return bytesPerSecond > 0 ? new FileInfo(path).Length / (double)bytesPerSecond : 0;
    }

    private static byte[] Start(string path, int count)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var bytes = new byte[count];
            return bytes[..stream.ReadAtLeast(bytes, count, throwOnEndOfStream: false)];
        }
        catch (IOException)
        {
            return []; // The run itself will say what is wrong with it.
        }
    }
}
