using MASQuant.Diagnostics;
using MASQuant.Engine.Models;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

public sealed class PositionIdsTests
{
    private const int Image = 1212;
    private const int Video = 1213;
    private const int Audio = 1203;

    public static TheoryData<string> Cases => Golden.All;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Equal_the_reference(string name)
    {
        var golden = Golden.Load(name);
        var config = TinyConfigs.Of(golden);
        var ids = golden.Integers("input_ids");

        var positions = PositionIds.Of(ids, GoldenMedia.Extents(golden, config), config);

        int[] rows = [.. positions.Time, .. positions.Height, .. positions.Width];
        Assert.Equal(golden.Integers("position_ids"), rows);
        Assert.Equal(golden.Integers("position_ids").Max() + 1, positions.Next);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Placeholders_expand_to_the_reference_sequence(string name)
    {
        var golden = Golden.Load(name);
        var config = TinyConfigs.Of(golden);
        var ids = golden.Integers("input_ids");

        Assert.Equal(ids, PlaceholderTokens.Expand(GoldenMedia.Collapse(ids, config), GoldenMedia.Extents(golden, config), config));
    }

    [Fact]
    public void Text_and_audio_are_consecutive()
    {
        var ids = new[] { 1, Audio, Audio, Audio, 2, Audio, 3 };
        var positions = PositionIds.Of(ids, [MediaExtent.Audio(TinyConfigs.Omni, 3), MediaExtent.Audio(TinyConfigs.Omni, 1)], TinyConfigs.Omni);

        Assert.Equal(Enumerable.Range(0, 7), positions.Time.ToArray());
        Assert.Equal(positions.Time, positions.Height);
        Assert.Equal(positions.Time, positions.Width);
    }

    [Theory]
    [InlineData(true, 0.5, new[] { 0, 12, 25 })] // 25 positions a second, truncated: 0, 12.5, 25
    [InlineData(false, 0.75, new[] { 0, 1, 3 })] // 2 positions a second: 0, 1.5, 3
    public void A_video_row_stands_at_its_time(bool omni, double secondsPerFrame, int[] times)
    {
        var config = omni ? TinyConfigs.Omni : TinyConfigs.VL;
        var positions = PositionIds.Of([Video, Video, Video, 7], [MediaExtent.Video(config, 3, 2, 2, secondsPerFrame)], config);

        Assert.Equal(times, positions.Time[..3].ToArray());
        Assert.Equal(times[^1] + 1, positions.Height[3]);
    }

    [Fact]
    public void Modalities_follow_the_placeholders()
    {
        var map = PlaceholderTokens.Map([1, Image, Video, Audio, Audio], TinyConfigs.Omni);

        Assert.Equal([Modality.Text, Modality.Vision, Modality.Vision, Modality.Audio, Modality.Audio], map.Tokens.ToArray());
    }

    [Fact]
    public void Media_must_match_placeholders()
    {
        var config = TinyConfigs.Omni;
        var image = MediaExtent.Image(config, 4, 4);

        AssertMismatch(() => PlaceholderTokens.Expand([1, Image], [], config));
        AssertMismatch(() => PlaceholderTokens.Expand([1], [image], config));
        AssertMismatch(() => PlaceholderTokens.Expand([1, Audio], [image], config));
        AssertMismatch(() => PositionIds.Of([Image, Image, Image, 1], [image], config));
        AssertMismatch(() => PositionIds.Of([Image, Image], [image], config));
        AssertMismatch(() => PositionIds.Of([1, 2], [image], config));
    }

    private static void AssertMismatch(Action action)
        => Assert.Equal(DiagnosticCodes.PlaceholderMismatch, Assert.Throws<MASQuantException>(action).Code);
}
