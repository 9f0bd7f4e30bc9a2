using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Engine.Models;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Vision;

/// <summary>Sizes of images and videos as the reference stack chooses them.</summary>
public sealed class SizeTableTests
{
    [SkippableFact]
    public void Images_have_the_reference_sizes()
        => AssertAll("image-sizes", entry => SmartResize.Choose(Whole(entry, "width"), Whole(entry, "height"), Whole(entry, "factor"), Limits(entry)));

    // Patches of 16 pixels, merged by two; two frames a row.
    [SkippableFact]
    public void Videos_whose_limits_count_frames_have_the_reference_sizes()
        => AssertAll("qwen3-video-sizes", entry => SmartResize.ChooseVideo(Whole(entry, "frames"), 2, Whole(entry, "width"), Whole(entry, "height"), 32, Limits(entry)));

    // A processor's unasked limit is of each frame; the reference's sizes below it stay.
    [SkippableFact]
    public void A_processors_ceiling_holds_for_videos_whose_limits_count_frames()
    {
        var shrunk = 0;
        foreach (var entry in FamilyFixtures.Table("qwen3-video-sizes").EnumerateArray())
        {
            var (width, height) = SmartResize.ChooseVideo(Whole(entry, "frames"), 2, Whole(entry, "width"), Whole(entry, "height"), 32, new ImageBudget().Of(Limits(entry), null, null, Whole(entry, "frames")));
            var (h, w) = (entry.GetProperty("result")[0].GetInt32(), entry.GetProperty("result")[1].GetInt32());
            Assert.InRange(width * height, 1, 1003520);
            Assert.True((width, height) == (w, h) || w * h > 1003520 * 0.95, $"{entry}: {width} × {height}"); // odd numbers of frames count one more
            shrunk += (width, height) == (w, h) ? 0 : 1;
        }

        Assert.NotEqual(0, shrunk);
    }

    private static void AssertAll(string table, Func<JsonElement, (int Width, int Height)> choose)
    {
        var entries = FamilyFixtures.Table(table);
        Assert.True(entries.GetArrayLength() >= 100);
        foreach (var entry in entries.EnumerateArray())
        {
            var result = entry.GetProperty("result");
            if (result.ValueKind == JsonValueKind.String)
            {
                Assert.Equal(DiagnosticCodes.ImageShapeNotSupported, Assert.Throws<MASQuantException>(() => choose(entry)).Code);
            }
            else
            {
                Assert.Equal($"{entry} {result[1]} × {result[0]}", $"{entry} {choose(entry).Width} × {choose(entry).Height}");
            }
        }
    }

    private static PixelLimits Limits(JsonElement entry) => new(Whole(entry, "min_pixels"), Whole(entry, "max_pixels"));

    private static int Whole(JsonElement entry, string key) => entry.GetProperty(key).GetInt32();
}
