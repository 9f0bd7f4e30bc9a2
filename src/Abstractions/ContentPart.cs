namespace MASQuant;

/// <summary>A piece of a message: text, an image, an audio clip or a video.</summary>
public abstract record ContentPart
{
    private protected ContentPart()
    {
    }
}

/// <summary>Text. Special tokens spelled out in it stay text.</summary>
/// <param name="Text">The text.</param>
public sealed record TextPart(string Text) : ContentPart;

/// <summary>A PNG or JPEG image.</summary>
/// <param name="Source">The image file or its bytes.</param>
public sealed record ImagePart(MediaSource Source) : ContentPart
{
    /// <summary>The fewest pixels that the image is resized to; null: the model's.</summary>
    public int? MinPixels { get; init => field = PixelCount.Require(value, nameof(MinPixels)); }

    /// <summary>The most pixels that the image is resized to; null: the model's.</summary>
    public int? MaxPixels { get; init => field = PixelCount.Require(value, nameof(MaxPixels)); }
}

/// <summary>A WAV clip.</summary>
/// <param name="Source">The audio file or its bytes.</param>
public sealed record AudioPart(MediaSource Source) : ContentPart;

/// <summary>A video, given as its frames.</summary>
/// <param name="Frames">PNG or JPEG images in the order of time.</param>
/// <param name="FramesPerSecond">How many of <paramref name="Frames"/> make a second; positive.</param>
public sealed record VideoPart(IReadOnlyList<MediaSource> Frames, double FramesPerSecond) : ContentPart
{
    /// <summary>The video's own sound, a WAV clip that begins with the first frame; null: a silent video. Qwen2.5-Omni hears it chunk by chunk between the frames; other families refuse it.</summary>
    public MediaSource? Sound { get; init; }

    /// <summary>The fewest pixels that each frame is resized to; null: the model's.</summary>
    public int? MinPixels { get; init => field = PixelCount.Require(value, nameof(MinPixels)); }

    /// <summary>The most pixels that each frame is resized to; null: the model's.</summary>
    public int? MaxPixels { get; init => field = PixelCount.Require(value, nameof(MaxPixels)); }
}
