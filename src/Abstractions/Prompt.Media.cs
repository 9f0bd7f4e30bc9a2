using System.Globalization;

namespace MASQuant;

public sealed partial class Prompt
{
    private int? _minPixels;
    private int? _maxPixels;
    private double? _maxFramesPerSecond;
    private int? _maxFrames;

    /// <summary>Sets the most and the fewest pixels that images and frames of videos are resized to, for those added from here on; null: the model's (<see cref="ModelOptions.MaxPixels"/>).</summary>
    /// <param name="max">At least 1; fewer are faster, and show less.</param>
    /// <param name="min">At least 1.</param>
    public Prompt Pixels(int? max = null, int? min = null)
    {
        (_maxPixels, _minPixels) = (MediaLimit.Require(max, nameof(max)), MediaLimit.Require(min, nameof(min)));
        return this;
    }

    /// <summary>Sets the most frames of videos that are looked at, for those added from here on; null: the model's (<see cref="ModelOptions.MaxFrames"/>).</summary>
    /// <param name="max">At least 1; fewer are faster, and show less.</param>
    /// <param name="maxPerSecond">Of each second; positive and finite (<see cref="ModelOptions.MaxFramesPerSecond"/>).</param>
    public Prompt Frames(int? max = null, double? maxPerSecond = null)
    {
        (_maxFrames, _maxFramesPerSecond) = (MediaLimit.Require(max, nameof(max)), MediaLimit.Require(maxPerSecond, nameof(maxPerSecond)));
        return this;
    }

    /// <summary>Adds an image file to the user's turn, PNG or JPEG (<see cref="ModelOptions.ImageDecoders"/>); it is read when the model needs it.</summary>
    public Prompt Image(string path) => Picture(MediaSource.File(path));

    /// <summary>Adds the bytes of an image file to the user's turn, PNG or JPEG (<see cref="ModelOptions.ImageDecoders"/>); they are not copied.</summary>
    public Prompt Image(ReadOnlyMemory<byte> bytes) => Picture(MediaSource.Memory(bytes));

    /// <summary>Adds an image that another decoder has read to the user's turn; its pixels are copied. What is too large, the model refuses as it does a file (<see cref="ModelLimits"/>).</summary>
    /// <param name="image">What is to be seen: upright, and without transparency.</param>
    /// <exception cref="ArgumentOutOfRangeException">The image has more pixels than an array holds bytes for, some 715 million.</exception>
    public Prompt Image(RgbImage image) => Picture(MediaSource.Pixels(image));

    /// <summary>Adds an image file, PNG or JPEG (<see cref="ModelOptions.ImageDecoders"/>), read from <paramref name="stream"/> to its end, to the user's turn.</summary>
    /// <param name="stream">Whatever it throws comes out of here, and nothing is added.</param>
    /// <exception cref="MASQuantException">MASQ0320: there are more than 1 GiB; no more are read.</exception>
    public Prompt Image(Stream stream) => Image(Read(stream, "image"));

    /// <summary>Adds an image file as <see cref="Image(Stream)"/> does, and holds no thread meanwhile. Await it before anything else is done with the prompt.</summary>
    /// <param name="stream">Whatever it throws comes out of here, and nothing is added.</param>
    /// <param name="limits">Of them <see cref="ModelLimits.MediumBytes"/>, beyond which no more is read; null: the defaults.</param>
    /// <param name="cancellationToken">Ends the reading with an <see cref="OperationCanceledException"/>; nothing is added.</param>
    /// <returns>This prompt.</returns>
    /// <exception cref="MASQuantException">MASQ0320: there are more bytes.</exception>
    public async Task<Prompt> ImageAsync(Stream stream, ModelLimits? limits = null, CancellationToken cancellationToken = default) => Image(await ReadAsync(stream, "image", limits, cancellationToken).ConfigureAwait(false));

    /// <summary>Adds an audio file to the user's turn, WAV (<see cref="ModelOptions.AudioDecoders"/>); it is read when the model needs it.</summary>
    public Prompt Audio(string path) => Clip(MediaSource.File(path));

    /// <summary>Adds the bytes of an audio file to the user's turn, WAV (<see cref="ModelOptions.AudioDecoders"/>); they are not copied.</summary>
    public Prompt Audio(ReadOnlyMemory<byte> bytes) => Clip(MediaSource.Memory(bytes));

    /// <summary>Adds sound that another decoder has read to the user's turn; its samples are copied. It is resampled as a WAV file of that rate is, and what is too long, the model refuses as it does a file (<see cref="ModelLimits"/>).</summary>
    /// <param name="samples">Those of one channel, −1 … 1. Where one is not finite, the model refuses the clip (MASQ0312).</param>
    /// <param name="samplingRate">Samples a second, Hz; the model takes 1000 to 768 000 (MASQ0311).</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is below 1, or there are more samples than an array holds bytes for, some 536 million.</exception>
    public Prompt Audio(ReadOnlySpan<float> samples, int samplingRate) => Clip(MediaSource.Samples(samples, samplingRate));

    /// <summary>Adds an audio file, WAV (<see cref="ModelOptions.AudioDecoders"/>), read from <paramref name="stream"/> to its end, to the user's turn.</summary>
    /// <inheritdoc cref="Image(Stream)"/>
    public Prompt Audio(Stream stream) => Audio(Read(stream, "audio"));

    /// <summary>Adds an audio file as <see cref="Audio(Stream)"/> does, and holds no thread meanwhile. Await it before anything else is done with the prompt.</summary>
    /// <inheritdoc cref="ImageAsync"/>
    public async Task<Prompt> AudioAsync(Stream stream, ModelLimits? limits = null, CancellationToken cancellationToken = default) => Audio(await ReadAsync(stream, "audio", limits, cancellationToken).ConfigureAwait(false));

    /// <summary>Adds a video to the user's turn: image files as of <see cref="Image(string)"/>, one a frame, in the order of time.</summary>
    /// <param name="framePaths">At least one file.</param>
    /// <param name="framesPerSecond">How many of the frames make a second; positive and finite.</param>
    /// <param name="soundPath">The video's own sound, a file as of <see cref="Audio(string)"/> that begins with the first frame; null: a silent video (<see cref="VideoPart.Sound"/>).</param>
    public Prompt Video(IEnumerable<string> framePaths, double framesPerSecond = 2, string? soundPath = null)
    {
        ArgumentNullException.ThrowIfNull(framePaths);
        return Video(new VideoPart([.. framePaths.Select(MediaSource.File)], framesPerSecond) { Sound = soundPath is null ? null : MediaSource.File(soundPath) });
    }

    /// <summary>Adds a video to the user's turn, whatever holds its frames and its sound: files, their bytes, or what another decoder has read (<see cref="MediaSource"/>). What it does not say of pixels and frames is the prompt's.</summary>
    /// <param name="video">At least one frame; the rate is positive and finite.</param>
    public Prompt Video(VideoPart video)
    {
        ArgumentNullException.ThrowIfNull(video);
        if (!double.IsFinite(video.FramesPerSecond) || video.FramesPerSecond <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(video), video.FramesPerSecond, "Frames per second must be positive and finite.");
        }

        if (video.Frames.Count == 0)
        {
            throw new ArgumentException("A video needs at least one frame.", nameof(video));
        }

        var name = NextName("video");
        return Add(video with
        {
            Frames = [.. video.Frames.Select((frame, place) => frame.Or(string.Create(CultureInfo.InvariantCulture, $"{name}, frame {place + 1}")))],
            Sound = video.Sound?.Or($"{name}, sound"),
            MinPixels = video.MinPixels ?? _minPixels,
            MaxPixels = video.MaxPixels ?? _maxPixels,
            MaxFrames = video.MaxFrames ?? _maxFrames,
            MaxFramesPerSecond = video.MaxFramesPerSecond ?? _maxFramesPerSecond,
        });
    }

    private Prompt Picture(MediaSource source) => Add(new ImagePart(source.Or(NextName("image"))) { MinPixels = _minPixels, MaxPixels = _maxPixels });

    private Prompt Clip(MediaSource source) => Add(new AudioPart(source.Or(NextName("audio"))));

    // Messages call media in memory "image 1", "audio 2": by their place among the media of the prompt.
    private string NextName(string kind)
    {
        var number = 1 + _turns.Sum(turn => turn.Content.Count(part => part is ImagePart or AudioPart or VideoPart));
        return string.Create(CultureInfo.InvariantCulture, $"{kind} {number}");
    }

    private byte[] Read(Stream stream, string kind)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return MediumStream.Read(stream, new ModelLimits(), NextName(kind), default);
    }

    private Task<byte[]> ReadAsync(Stream stream, string kind, ModelLimits? limits, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return MediumStream.ReadAsync(stream, limits ?? new ModelLimits(), NextName(kind), cancellationToken);
    }
}
