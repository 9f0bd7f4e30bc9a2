using NLayer;

namespace MASQuant.AudioFormats;

/// <summary>Decodes frame after frame, and keeps what lies within the clip.</summary>
internal sealed class Mp3Reader : IAudioReader
{
    private readonly MpegFrameDecoder _decoder = new();
    private readonly float[] _decoded;
    private ReadOnlyMemory<byte> _rest;
    private Memory<float> _ready;
    private long _before;
    private long _left;

    public Mp3Reader(ReadOnlyMemory<byte> file)
    {
        _rest = file[TagLength(file.Span)..];
        var first = Mp3Frame.At(_rest) ?? throw new InvalidDataException("no frame of layer III stands at its beginning");
        var clip = Mp3Clip.Of(first);
        (SamplingRate, Channels, _before, _left) = (first.SampleRate, first.Channels, clip.Before, clip.Frames);
        _decoded = new float[first.SampleCount * Channels];
        _rest = clip.IsTagged ? _rest[Math.Min(first.FrameLength, _rest.Length)..] : _rest;
    }

    public int SamplingRate { get; }

    public int Channels { get; }

    public int Read(Span<float> samples)
    {
        var written = 0;
        while (written < samples.Length && (_ready.Length > 0 || Next()))
        {
            var count = Math.Min(samples.Length - written, _ready.Length);
            _ready.Span[..count].CopyTo(samples[written..]);
            _ready = _ready[count..];
            written += count;
        }

        return written;
    }

    public void Dispose()
    {
    }

    // A last frame that is cut short is none; what stands behind the frames says something of them.
    private bool Next()
    {
        while (_ready.Length == 0 && _left > 0 && !IsTail(_rest.Span))
        {
            var frame = Mp3Frame.At(_rest);
            if (frame is null || (frame.SampleRate, frame.Channels) != (SamplingRate, Channels))
            {
                throw new InvalidDataException(frame is null ? "something that is no frame stands between its frames" : "its sampling rate or its channels change");
            }

            if (!frame.IsWhole)
            {
                break;
            }

            Decode(frame);
            _rest = _rest[frame.FrameLength..];
            var skipped = (int)Math.Min(_before, frame.SampleCount);
            var kept = (int)Math.Min(_left, frame.SampleCount - skipped);
            (_before, _left) = (_before - skipped, _left - kept);
            _ready = _decoded.AsMemory(skipped * Channels, kept * Channels);
        }

        return _ready.Length > 0;
    }

    // Where it begins with what earlier frames should have left, it is silent.
    private void Decode(Mp3Frame frame)
    {
        Array.Clear(_decoded);
        try
        {
            _decoder.DecodeFrame(frame, _decoded, 0);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw new InvalidDataException("a frame is damaged"); // NLayer reads past its tables then, and its messages say nothing of the file.
        }
    }

    private static bool IsTail(ReadOnlySpan<byte> rest)
        => rest.Length < 4 || rest.StartsWith("TAG"u8) || rest.StartsWith("ID3"u8) || rest.StartsWith("APETAGEX"u8) || rest.StartsWith("LYRICSBEGIN"u8) || !rest.ContainsAnyExcept((byte)0);

    // An ID3v2 tag's size has seven bits a byte.
    private static int TagLength(ReadOnlySpan<byte> file)
    {
        const int HeaderBytes = 10;
        return file.StartsWith("ID3"u8) && file.Length >= HeaderBytes
            ? Math.Min(HeaderBytes + ((file[6] & 0x7F) << 21) + ((file[7] & 0x7F) << 14) + ((file[8] & 0x7F) << 7) + (file[9] & 0x7F), file.Length)
            : 0;
    }
}
