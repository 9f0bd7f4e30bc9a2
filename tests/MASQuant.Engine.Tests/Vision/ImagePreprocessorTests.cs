using MASQuant.Diagnostics;
using MASQuant.Engine.Vision.Images;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Vision;

public class ImagePreprocessorTests
{
    private static readonly PreprocessorConfig Config = new()
    {
        MinPixels = 3136,
        MaxPixels = 12845056,
        ImageMean = [0.48145466f, 0.4578275f, 0.40821073f],
        ImageStd = [0.26862954f, 0.26130258f, 0.27577711f],
    };

    private static readonly VisionConfig Vision = new()
    {
        Depth = 4,
        HiddenSize = 128,
        IntermediateSize = 256,
        Heads = 4,
        OutHiddenSize = 256,
        PatchSize = 14,
        SpatialMergeSize = 2,
        TemporalPatchSize = 2,
        WindowSize = 56,
        FullAttentionBlocks = [1, 3],
    };

    [Theory]
    [InlineData("omni/image")]
    [InlineData("omni/image-audio")]
    [InlineData("omni/image-resized")]
    [InlineData("omni/two-images")]
    [InlineData("vl/two-images")]
    public void Patches_of_images_equal_the_reference_stack(string name)
    {
        var golden = Golden.Load(name);
        var images = golden.Files.Where(f => f.EndsWith(".png", StringComparison.Ordinal)).Select(f => Create(golden).Process(Load(f))).ToArray();

        Assert.Equal(golden.Integers("image_grid_thw"), images.SelectMany(i => new[] { i.GridT, i.GridH, i.GridW }));
        AssertPixels(golden, "pixel_values", images);
    }

    [Theory]
    [InlineData("omni/video")]
    [InlineData("vl/video")]
    public void Patches_of_a_video_equal_the_reference_stack(string name)
    {
        var golden = Golden.Load(name);
        var video = Create(golden).ProcessVideo([.. golden.Files.Select(Load)]);

        Assert.Equal(golden.Integers("video_grid_thw"), new[] { video.GridT, video.GridH, video.GridW });
        AssertPixels(golden, "pixel_values_videos", video);
    }

    // transformers multiplies by the factor in FP64, rounds to FP32, and normalises in FP32. To the bit.
    [Fact]
    public void Every_colour_value_is_normalised_as_the_reference_stack_does()
    {
        var bytes = Enumerable.Range(0, 28 * 28 * 3).Select(i => (byte)(i / 3)).ToArray();
        var pixels = new ImagePreprocessor(Config with { MinPixels = 1 }, Vision).Process(new RgbImage(28, 28, bytes)).Pixels;
        for (var channel = 0; channel < 3; channel++)
        {
            var expected = Enumerable.Range(0, 256).Select(value => ((float)(value * (1 / 255d)) - Config.ImageMean[channel]) / Config.ImageStd[channel]).ToHashSet();
            var actual = Enumerable.Range(0, pixels.Rows).SelectMany(row => pixels.Row(row).Slice(channel * 2 * 14 * 14, 14 * 14).ToArray()).ToHashSet();
            Assert.Equal(256, expected.Count);
            Assert.Equal(expected.Order(), actual.Order());
        }
    }

    [Fact]
    public void A_missing_last_frame_is_the_one_before_it()
    {
        var golden = Golden.Load("vl/video");
        var frames = golden.Files.Select(Load).ToArray();
        var odd = Create(golden).ProcessVideo(frames[..3]);
        var padded = Create(golden).ProcessVideo([.. frames[..3], frames[2]]);

        Assert.Equal(2, odd.GridT);
        Assert.Equal(padded.Pixels.Data, odd.Pixels.Data);
        Assert.NotEqual(Create(golden).ProcessVideo(frames).Pixels.Data, odd.Pixels.Data);
    }

    [Fact]
    public void Frames_of_several_sizes_are_refused()
    {
        var golden = Golden.Load("vl/video");
        RgbImage[] frames = [new(56, 28, new byte[56 * 28 * 3]), new(28, 56, new byte[56 * 28 * 3])];
        Assert.Equal(DiagnosticCodes.ImageShapeNotSupported, Assert.Throws<MASQuantException>(() => Create(golden).ProcessVideo(frames)).Code);
        Assert.Equal(DiagnosticCodes.ImageShapeNotSupported, Assert.Throws<MASQuantException>(() => Create(golden).ProcessVideo([])).Code);
    }

    private static ImagePreprocessor Create(Golden golden) => new(golden.IsOmni ? Config with { VideoPixels = new Qwen25Omni().Preprocessor.VideoPixels } : Config, Vision);

    private static RgbImage Load(string path) => ImageDecoder.Decode(File.ReadAllBytes(path), path);

    // 1e-4 is the project's bound; one 8-bit level is 1.4e-2, so that no pixel may differ.
    private static void AssertPixels(Golden golden, string name, params ImagePatches[] images)
    {
        var step = golden.Has(name) ? 1 : 4;
        var tensor = step == 1 ? name : name + ".every4";
        var expected = golden.Floats(tensor);
        var rows = images.SelectMany(i => Enumerable.Range(0, i.Pixels.Rows).Select(r => i.Pixels.Row(r).ToArray())).Where((_, r) => r % step == 0).ToArray();
        Assert.Equal(golden.Shape(tensor), new[] { rows.Length, rows[0].Length });
        var actual = rows.SelectMany(r => r).ToArray();
        for (var i = 0; i < actual.Length; i++)
        {
            Assert.True(MathF.Abs(expected[i] - actual[i]) <= 1e-4f, $"patch {i / 1176 * step}, value {i % 1176}: {actual[i]} is not {expected[i]}");
        }
    }
}
