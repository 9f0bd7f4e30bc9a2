namespace MASQuant;

/// <summary>A piece of a message: text, an image, an audio clip, a video, or what belongs to the calling of functions.</summary>
public abstract record ContentPart
{
    private protected ContentPart()
    {
    }
}

/// <summary>Text. Special tokens spelled out in it stay text.</summary>
/// <param name="Text">The text.</param>
public sealed record TextPart(string Text) : ContentPart;

/// <summary>What a model thought before an answer, in a message of the assistant. It is written before the answers behind the last question, where the family has thoughts, and left out elsewhere.</summary>
/// <param name="Text">What was thought, without marks.</param>
public sealed record ThoughtPart(string Text) : ContentPart;

/// <summary>The functions that a model may call; it stands in the system message, behind its text.</summary>
/// <param name="Signatures">A JSON object for each, in one line, as chat templates write it: <c>{"type": "function", "function": {"name": …, "description": …, "parameters": …}}</c>.</param>
public sealed record ToolsPart(IReadOnlyList<string> Signatures) : ContentPart;

/// <summary>A call of a function, in a message of the assistant.</summary>
/// <param name="Name">The function's name.</param>
/// <param name="Arguments">A JSON object in one line.</param>
public sealed record ToolCallPart(string Name, string Arguments) : ContentPart;

/// <summary>What a call gave, in a message of the user that holds nothing else. Special tokens spelled out in it stay text.</summary>
/// <param name="Text">The result.</param>
public sealed record ToolResultPart(string Text) : ContentPart;

/// <summary>An image: PNG, JPEG, or decoded pixels.</summary>
/// <param name="Source">The image file, its bytes, or its pixels.</param>
public sealed record ImagePart(MediaSource Source) : ContentPart
{
    /// <summary>The fewest pixels that the image is resized to; null: the model's.</summary>
    public int? MinPixels { get; init => field = MediaLimit.Require(value, nameof(MinPixels)); }

    /// <summary>The most pixels that the image is resized to; null: the model's.</summary>
    public int? MaxPixels { get; init => field = MediaLimit.Require(value, nameof(MaxPixels)); }
}

/// <summary>An audio clip: WAV, or decoded samples.</summary>
/// <param name="Source">The audio file, its bytes, or its samples.</param>
public sealed record AudioPart(MediaSource Source) : ContentPart;

/// <summary>A video, given as its frames.</summary>
/// <param name="Frames">Images in the order of time, all of one size.</param>
/// <param name="FramesPerSecond">How many of <paramref name="Frames"/> make a second; positive.</param>
public sealed record VideoPart(IReadOnlyList<MediaSource> Frames, double FramesPerSecond) : ContentPart
{
    /// <summary>The video's own sound, a clip that begins with the first frame; null: a silent video. A model that hears videos takes it chunk by chunk between the frames; others refuse it.</summary>
    public MediaSource? Sound { get; init; }

    /// <summary>When each of <see cref="Frames"/> was taken, in seconds from the video's start; null: <see cref="FramesPerSecond"/> apart. Written into the prompt where the family writes times; others go by the rate alone.</summary>
    public IReadOnlyList<double>? FrameTimes { get; init; }

    /// <summary>The most frames of a second that are looked at, taken of <see cref="Frames"/> as the family's video processor takes them: at least four of a video, and 768 at most. Null: the model's. Positive and finite.</summary>
    public double? MaxFramesPerSecond { get; init => field = MediaLimit.Require(value, nameof(MaxFramesPerSecond)); }

    /// <summary>The most frames of a video that are looked at, taken as the family's video processor takes them. Null: the model's. At least 1.</summary>
    public int? MaxFrames { get; init => field = MediaLimit.Require(value, nameof(MaxFrames)); }

    /// <summary>The fewest pixels that each frame is resized to; null: the model's.</summary>
    public int? MinPixels { get; init => field = MediaLimit.Require(value, nameof(MinPixels)); }

    /// <summary>The most pixels that each frame is resized to; null: the model's.</summary>
    public int? MaxPixels { get; init => field = MediaLimit.Require(value, nameof(MaxPixels)); }
}
