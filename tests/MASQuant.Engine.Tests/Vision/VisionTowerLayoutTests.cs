using MASQuant.Engine.Vision;
using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Tests.Vision;

public sealed class VisionTowerLayoutTests
{
    private static readonly VisionConfig Config = new()
    {
        Depth = 1,
        HiddenSize = 16,
        IntermediateSize = 16,
        Heads = 1,
        OutHiddenSize = 16,
        PatchSize = 14,
        SpatialMergeSize = 2,
        TemporalPatchSize = 2,
        WindowSize = 56,
        FullAttentionBlocks = [],
    };

    [Fact]
    public void Windows_follow_each_other_and_edge_windows_are_smaller()
    {
        // 6 × 6 patches are 3 × 3 blocks, 0 1 2 / 3 4 5 / 6 7 8; a window of 56 pixels holds 2 × 2 blocks of 4 patches.
        var layout = new VisionTowerLayout(2, 6, 6, Config);

        Assert.Equal([0, 1, 3, 4, 2, 5, 6, 7, 8, 9, 10, 12, 13, 11, 14, 15, 16, 17], layout.BlockOrder);
        Assert.Equal([0, 16, 24, 32, 36, 52, 60, 68, 72], layout.WindowBounds);
        Assert.Equal([0, 36, 72], layout.FrameBounds);
    }

    [Fact]
    public void Without_windows_blocks_stay_where_they_are()
    {
        var layout = new VisionTowerLayout(2, 6, 8, Config with { WindowSize = null });

        Assert.Equal(Enumerable.Range(0, 24), layout.BlockOrder);
        Assert.Equal(layout.FrameBounds, layout.WindowBounds);
    }

    [Fact]
    public void Patches_know_their_row_and_column_in_the_frame()
    {
        var layout = new VisionTowerLayout(2, 6, 6, Config);

        // Place 16 … 19 is block 2, at the upper right; the second frame repeats the first.
        Assert.Equal([(0, 4), (0, 5), (1, 4), (1, 5)], Enumerable.Range(16, 4).Select(layout.Position));
        Assert.Equal((5, 5), layout.Position(35));
        Assert.Equal((5, 5), layout.Position(71));
    }
}
