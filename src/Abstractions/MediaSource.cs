using MASQuant.Diagnostics;
using MASQuant.Platform;

namespace MASQuant;

/// <summary>Where an image or an audio clip comes from: a file, read when it is needed, or memory.</summary>
public sealed record MediaSource
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly string? _name;

    private MediaSource(string? path, string? name, ReadOnlyMemory<byte> bytes) => (Path, _name, _bytes) = (path, name, bytes);

    /// <summary>The file, or null when the bytes are in memory.</summary>
    public string? Path { get; }

    /// <summary>What messages call it.</summary>
    public string Name => _name ?? Path ?? "a medium in memory";

    /// <summary>A file; a relative path is relative to the current directory.</summary>
    public static MediaSource File(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new(path, null, default);
    }

    /// <summary>The bytes of a file, in memory; they are not copied.</summary>
    /// <param name="bytes">A PNG, JPEG or WAV file, or one of a format that the model is given a decoder for.</param>
    /// <param name="name">What messages call it; null: by its place in the prompt.</param>
    public static MediaSource Memory(ReadOnlyMemory<byte> bytes, string? name = null) => new(null, name, bytes);

    /// <summary>An image that another decoder has read; its pixels are copied.</summary>
    /// <param name="image">What is to be seen: upright, and without transparency.</param>
    /// <param name="name">What messages call it; null: by its place in the prompt.</param>
    /// <exception cref="ArgumentOutOfRangeException">The image has more pixels than an array holds bytes for, some 715 million.</exception>
    public static MediaSource Pixels(RgbImage image, string? name = null) => new(null, name, PlainMedium.Ppm(image));

    /// <summary>Sound that another decoder has read; its samples are copied. It is resampled as a WAV file of that rate is.</summary>
    /// <param name="samples">Those of one channel, −1 … 1. Where one is not finite, the model refuses the clip.</param>
    /// <param name="samplingRate">Samples a second, Hz; models take 1000 to 768 000.</param>
    /// <param name="name">What messages call it; null: by its place in the prompt.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is below 1, or there are more samples than an array holds bytes for, some 536 million.</exception>
    public static MediaSource Samples(ReadOnlySpan<float> samples, int samplingRate, string? name = null) => new(null, name, PlainMedium.Wav(samples, samplingRate));

    /// <summary>The same medium under this name, where nobody has given it one.</summary>
    internal MediaSource Or(string name) => _name is null && Path is null ? new(null, name, _bytes) : this;

    /// <summary>The bytes of its file, or of one that holds its pixels (PPM) or samples (WAV).</summary>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.FileNotReadable"/></exception>
    public ReadOnlyMemory<byte> Read() => Read(new ModelLimits { MediumBytes = Array.MaxLength });

    /// <summary>The bytes of its file, or of one that holds its pixels (PPM) or samples (WAV), unless there are more than <see cref="ModelLimits.MediumBytes"/>; no more are read.</summary>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.FileNotReadable"/> or <see cref="DiagnosticCodes.MediumTooLarge"/></exception>
    public ReadOnlyMemory<byte> Read(ModelLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return ReadHere(limits, default);
    }

    /// <summary>The same, but nobody waits longer than they want for a pipe that nobody writes, or that has no end.</summary>
    internal ReadOnlyMemory<byte> Read(ModelLimits limits, CancellationToken cancellationToken)
        => Path is null || !cancellationToken.CanBeCanceled ? ReadHere(limits, default) : BlockingCall.Run(() => ReadHere(limits, cancellationToken), cancellationToken);

    private ReadOnlyMemory<byte> ReadHere(ModelLimits limits, CancellationToken cancellationToken)
    {
        if (Path is null)
        {
            limits.RequireBytes(_bytes.Length, Name);
            return _bytes;
        }

        try
        {
            using var file = FileSystem.Current.Open(Path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            return file.CanSeek ? ReadFile(file, limits) : MediumStream.Read(file, limits, Path, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new MASQuantException(DiagnosticCodes.FileNotReadable, Path,
                $"The media file cannot be read: {error.Message.TrimEnd('.')}. Correct the path, or the file's permissions.", error);
        }
    }

    private byte[] ReadFile(FileStream file, ModelLimits limits)
    {
        limits.RequireBytes(file.Length, Path);
        var bytes = LargeArray.Zeros<byte>(checked((int)file.Length));
        file.ReadExactly(bytes);
        return bytes;
    }
}
