namespace MASQuant.Formats.Models;

/// <summary>How the tokens behind one placeholder lie in time, height and width. All counts are after the tower's merging.</summary>
/// <param name="Modality">Vision or audio.</param>
/// <param name="PlaceholderId">The token that stands for it in the prompt and, repeated, in the sequence.</param>
/// <param name="Frames">Temporal extent: 1 for an image, the token count for audio.</param>
/// <param name="Rows">Token rows of a frame; 1 for audio.</param>
/// <param name="Columns">Token columns of a frame; 1 for audio.</param>
/// <param name="SecondsPerFrame">Video: seconds between two temporal rows (<c>second_per_grid_ts</c>).</param>
/// <param name="PositionsPerSecond">Video: temporal positions per second.</param>
public readonly record struct MediaExtent(Modality Modality, int PlaceholderId, int Frames, int Rows, int Columns, double SecondsPerFrame = 1, double PositionsPerSecond = 1)
{
    /// <summary>The run of tokens that this is, of a medium that is interleaved with another; null: the whole medium.</summary>
    public InterleavedRun? Run { get; init; }

    /// <summary>The number of tokens.</summary>
    public int Tokens => Run?.Tokens ?? checked(Frames * Rows * Columns);

    /// <summary>Whether a token of the prompt stands for this, and not for the run before it too.</summary>
    public bool HasPlaceholder => Run is not { Continues: true };

    /// <summary>An image of <paramref name="rows"/> × <paramref name="columns"/> patches, before merging.</summary>
    public static MediaExtent Image(ModelConfig config, int rows, int columns)
        => new(Modality.Vision, config.ImageTokenId, 1, rows / config.Vision.SpatialMergeSize, columns / config.Vision.SpatialMergeSize);

    /// <summary>A video of <paramref name="frames"/> temporal rows of <paramref name="rows"/> × <paramref name="columns"/> patches, before merging.</summary>
    public static MediaExtent Video(ModelConfig config, int frames, int rows, int columns, double secondsPerFrame)
        => new(Modality.Vision, config.VideoTokenId, frames, rows / config.Vision.SpatialMergeSize, columns / config.Vision.SpatialMergeSize, secondsPerFrame, config.PositionsPerSecond);

    /// <summary>An audio clip whose tower output has <paramref name="tokens"/> rows.</summary>
    public static MediaExtent Audio(ModelConfig config, int tokens) => new(Modality.Audio, config.AudioTokenId, tokens, 1, 1);
}
