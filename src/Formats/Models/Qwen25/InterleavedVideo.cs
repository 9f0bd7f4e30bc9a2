namespace MASQuant.Formats.Models.Qwen25;

/// <summary>A video with its sound (<c>use_audio_in_video</c>): both are cut into chunks of some seconds, and a chunk of the video is followed by the chunk of the sound that has its number.</summary>
internal static class InterleavedVideo
{
    /// <summary>The runs of tokens in the order of the sequence.</summary>
    /// <param name="video">The whole video.</param>
    /// <param name="sound">The whole sound, one token a position.</param>
    /// <param name="positionsPerChunk">Temporal positions of a chunk.</param>
    public static IReadOnlyList<MediaExtent> Runs(MediaExtent video, MediaExtent sound, int positionsPerChunk)
    {
        var seen = Chunks(video.Frames, video.Rows * video.Columns, video.SecondsPerFrame * video.PositionsPerSecond, positionsPerChunk);
        var heard = Chunks(sound.Frames, 1, 1, positionsPerChunk);
        var runs = new List<MediaExtent>();
        for (var chunk = 0; chunk < Math.Max(seen.Count, heard.Count); chunk++)
        {
            Add(runs, video, seen, chunk);
            Add(runs, sound, heard, chunk);
        }

        return runs;
    }

    private static void Add(List<MediaExtent> runs, MediaExtent medium, List<(int First, int End)> chunks, int chunk)
    {
        if (chunk < chunks.Count && chunks[chunk] is var (first, end) && end > first)
        {
            runs.Add(medium with { Run = new InterleavedRun(first, end - first, runs.Count > 0) });
        }
    }

    // As the reference has it, a token begins at most one chunk: where rows of frames are further apart than chunks, single tokens are chunks too.
    private static List<(int First, int End)> Chunks(int frames, int tokensPerFrame, double positionsPerFrame, int positionsPerChunk)
    {
        var chunks = new List<(int, int)>();
        var (first, tokens) = (0, checked(frames * tokensPerFrame));
        for (var frame = 0; frame < frames; frame++)
        {
            for (var token = 0; token < tokensPerFrame && frame * positionsPerFrame >= (chunks.Count + 1.0) * positionsPerChunk; token++)
            {
                chunks.Add((first, (frame * tokensPerFrame) + token));
                first = (frame * tokensPerFrame) + token;
            }
        }

        chunks.Add((first, tokens));
        return chunks;
    }
}
