using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>A video that is written as rows of frames behind their times.</summary>
public sealed class VideoTextTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    // The mean of a row's two frames, i/fps and (i + 1)/fps, as Python's '.1f' rounds it: what is half exactly goes to the even digit.
    [Theory]
    [InlineData(4, 2, new[] { "0.2", "1.2" })] // 0.25, 1.25
    [InlineData(5, 1, new[] { "0.5", "2.5", "4.0" })] // the last frame stands for two
    [InlineData(8, 2, new[] { "0.2", "1.2", "2.2", "3.2" })]
    [InlineData(2, 0.6666666666666666, new[] { "0.8" })] // 0.75
    [InlineData(4, 29.97, new[] { "0.0", "0.1" })] // 0.0167, 0.0834
    [InlineData(2, 10.0 / 3, new[] { "0.1" })] // 0.15 and a little less, as a double
    public void Times_are_the_means_of_rows(int frames, double fps, string[] times)
    {
        var config = ModelConfigReader.ReadFolder(SmallCheckpoint.Write(_folder.File("model")));
        var segments = config.Family.Write(new VideoPart([.. Enumerable.Repeat(MediaSource.File("frame.png"), frames)], fps), config);

        Assert.Equal(times.Select(time => $"<{time} seconds>"), segments.Select(segment => segment.Text).OfType<string>());
        Assert.Equal(times.SelectMany(_ => new[] { 1209, 1213, 1210 }), segments.Where(segment => segment.Text is null).Select(segment => segment.Id));
    }

    [Fact]
    public void Each_row_has_positions_like_an_image()
    {
        var config = ModelConfigReader.ReadFolder(SmallCheckpoint.Write(_folder.File("model")));
        var extents = config.Family.VideoExtents(config, frames: 2, rows: 4, columns: 6, secondsPerFrame: 1);
        int[] ids = [7, .. Enumerable.Repeat(1213, 6), 7, .. Enumerable.Repeat(1213, 6), 7];
        var positions = PositionIds.Of(ids, extents, config);

        Assert.Equal([0, 1, 1, 1, 1, 1, 1, 4, 5, 5, 5, 5, 5, 5, 8], positions.Time.ToArray());
        Assert.Equal([0, 1, 1, 1, 2, 2, 2, 4, 5, 5, 5, 6, 6, 6, 8], positions.Height.ToArray());
        Assert.Equal([0, 1, 2, 3, 1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 8], positions.Width.ToArray());
    }
}
