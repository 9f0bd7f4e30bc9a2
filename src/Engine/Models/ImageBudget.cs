using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Models;

/// <summary>How many pixels images and frames keep, and how many frames videos, where neither they nor their checkpoint's files alone decide, and what is too much.</summary>
public sealed record ImageBudget
{
    /// <summary>The most pixels that the processor looks at unasked: 1280 tokens of 28 × 28, which families' cards suggest for balance. Checkpoints' own limit, 16 384 tokens, takes a processor minutes.</summary>
    public const int ProcessorPixels = 1280 * 28 * 28;

    /// <summary>The fewest pixels; null: the checkpoint's.</summary>
    public int? MinPixels { get; init; }

    /// <summary>The most pixels; null: the checkpoint's, up to <see cref="Ceiling"/>.</summary>
    public int? MaxPixels { get; init; }

    /// <summary>The most pixels where nobody has said how many.</summary>
    public int Ceiling { get; init; } = ProcessorPixels;

    /// <summary>The most frames of a second; null: all.</summary>
    public double? MaxFramesPerSecond { get; init; }

    /// <summary>The most frames of a video; null: all.</summary>
    public int? MaxFrames { get; init; }

    /// <summary>What is refused where prompts are those of who runs the program: they may fill the model's positions.</summary>
    public static ModelLimits OwnPrompts { get; } = new() { PromptTokens = int.MaxValue };

    /// <summary>What is refused.</summary>
    public ModelLimits Limits { get; init; } = OwnPrompts;

    /// <summary>What reads images of further formats.</summary>
    public IReadOnlyList<IImageDecoder> ImageDecoders { get; init; } = [];

    /// <summary>What reads sound of further formats.</summary>
    public IReadOnlyList<IAudioDecoder> AudioDecoders { get; init; } = [];

    /// <summary>The limits of a medium. Where the most are fewer than the fewest, the most count.</summary>
    /// <param name="checkpoint">What the checkpoint's files say.</param>
    /// <param name="min">The medium's own fewest pixels, or null.</param>
    /// <param name="max">The medium's own most pixels, or null.</param>
    /// <param name="frames">Of so many frames together the checkpoint's limits are; all others are of one.</param>
    public PixelLimits Of(PixelLimits checkpoint, int? min, int? max, int frames = 1)
    {
        int All(int pixels) => (int)Math.Min(int.MaxValue, (long)pixels * frames);
        var most = (max ?? MaxPixels) is { } asked ? All(asked) : Math.Min(checkpoint.Max, All(Ceiling));
        var fewest = (min ?? MinPixels) is { } least ? All(least) : checkpoint.Min;
        return new PixelLimits(Math.Min(fewest, most), most);
    }
}
