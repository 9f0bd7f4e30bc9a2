using System.Globalization;
using MASQuant.Diagnostics;

namespace MASQuant;

/// <summary>The most that a prompt may ask of the machine, whoever wrote it; what exceeds it is refused with a code before memory is taken. The defaults are for servers that answer strangers: a prompt's media, one after the other, and its tokens then take about a gigabyte at most, beside the model's own work.</summary>
/// <remarks>How many threads work is the process's, not a model's: the environment variable <c>DOTNET_PROCESSOR_COUNT</c>.</remarks>
public sealed record ModelLimits
{
    /// <summary>The most pixels of an image or a video's frame, as its file has it and as it is resized. At least 1, at most 715 827 882, a third of the bytes of an array. Default: 67 108 864 (8192 × 8192), which photos of phones keep.</summary>
    public int ImagePixels { get; init => field = Require(value, int.MaxValue / 3, nameof(ImagePixels)); } = 1 << 26;

    /// <summary>The most bytes of a medium: of its file, and of what it is decoded and cut into. At least 1. Default: 1 073 741 824 (1 GiB).</summary>
    public long MediumBytes { get; init => field = Require(value, long.MaxValue, nameof(MediumBytes)); } = 1 << 30;

    /// <summary>The most tokens of a prompt, those of its media included, where the model has more positions. At least 1. Default: 32 768.</summary>
    public int PromptTokens { get; init => field = Require(value, int.MaxValue, nameof(PromptTokens)); } = 1 << 15;

    /// <summary>The most seconds of an audio clip, where the model takes longer ones. At least 1. Default: 600.</summary>
    public int AudioSeconds { get; init => field = Require(value, int.MaxValue, nameof(AudioSeconds)); } = 600;

    /// <summary>The most frames of a video. At least 1. Default: 768.</summary>
    public int VideoFrames { get; init => field = Require(value, int.MaxValue, nameof(VideoFrames)); } = 768;

    /// <summary>Refuses a medium that takes more than <see cref="MediumBytes"/>.</summary>
    /// <param name="bytes">Of its file, or of what it becomes.</param>
    /// <param name="medium">Its file or name, for the message; or null.</param>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.MediumTooLarge"/></exception>
    public void RequireBytes(long bytes, string? medium)
    {
        if (bytes > MediumBytes)
        {
            throw new MASQuantException(DiagnosticCodes.MediumTooLarge, medium, string.Create(CultureInfo.InvariantCulture,
                $"The medium takes {bytes} bytes; the limit is {MediumBytes} (ModelLimits.MediumBytes). Give a smaller one, or raise the limit."));
        }
    }

    private static T Require<T>(T value, T most, string name)
        where T : struct, System.Numerics.INumber<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, T.One, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most, name);
        return value;
    }
}
