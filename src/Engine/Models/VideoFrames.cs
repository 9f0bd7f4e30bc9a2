using MASQuant.Diagnostics;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>Takes the frames of videos that are looked at.</summary>
internal static class VideoFrames
{
    /// <summary>Conversations whose videos hold no more frames than their limits, or the budget's, allow.</summary>
    /// <exception cref="MASQuantException">MASQ0304: a video's times are not those of its frames.</exception>
    public static IReadOnlyList<ChatMessage> Take(IReadOnlyList<ChatMessage> messages, ModelConfig config, ImageBudget budget)
        => [.. messages.Select(message => message.Content.Any(part => part is VideoPart) ? new ChatMessage(message.Role, [.. message.Content.Select(part => part is VideoPart video ? Take(video, config, budget) : part)]) : message)];

    private static VideoPart Take(VideoPart video, ModelConfig config, ImageBudget budget)
    {
        if (video.FrameTimes is { } times && (times.Count != video.Frames.Count || !times.All(double.IsFinite)))
        {
            throw new MASQuantException(DiagnosticCodes.ImageShapeNotSupported, video.Frames is [var named, ..] ? named.Name : null,
                $"The video has {video.Frames.Count} frames and {times.Count} times. Give each frame a time in seconds, or none.");
        }

        var (perSecond, most) = (video.MaxFramesPerSecond ?? budget.MaxFramesPerSecond, video.MaxFrames ?? budget.MaxFrames);
        if ((perSecond is null && most is null) || video.Frames.Count == 0 || !double.IsFinite(video.FramesPerSecond) || video.FramesPerSecond <= 0)
        {
            return video; // Who counts refuses what is no video.
        }

        var (total, sampling) = (video.Frames.Count, config.Family.Sampling(config));
        var taken = sampling.Take(total, sampling.Count(total, video.FramesPerSecond, perSecond, most));
        return taken.Length == total ? video : video with
        {
            Frames = [.. taken.Select(frame => video.Frames[frame])],
            FramesPerSecond = video.FramesPerSecond * taken.Length / total,
            FrameTimes = [.. taken.Select(frame => video.FrameTimes?[frame] ?? frame / video.FramesPerSecond)],
        };
    }
}
