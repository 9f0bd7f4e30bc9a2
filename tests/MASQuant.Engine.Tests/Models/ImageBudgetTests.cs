using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Execution;
using MASQuant.Engine.Tests.Vision;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>How many pixels images keep: as their part of the prompt says, or the model's options, or the checkpoint, up to what a processor takes unasked.</summary>
public sealed class ImageBudgetTests : IDisposable
{
    private const int Token = 28 * 28;

    // 43 × 36 tokens, more than a processor takes unasked.
    private static readonly byte[] Photo = PngFiles.Gray(1204, 1008);
    private readonly LoadedModel _model = Load(new ModelOptions());

    public void Dispose() => _model.Dispose();

    [Fact]
    public void A_processor_takes_no_more_than_its_ceiling_unasked()
    {
        Assert.Equal(1003520, ImageBudget.ProcessorPixels);
        Assert.Equal(39 * 32, Tokens(_model, new Prompt().Image(Photo))); // 1092 × 896: ÷ √(1204 · 1008 / 1003520) = 1.0997, then down
        using var device = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions(), content => new NamedExecution(new CpuExecution(content), "cuda:0"));
        Assert.Equal(43 * 36, Tokens(device, new Prompt().Image(Photo)));
        using var lifted = Load(new ModelOptions { MaxPixels = 12845056 });
        Assert.Equal(43 * 36, Tokens(lifted, new Prompt().Image(Photo)));
    }

    [Theory]
    [InlineData(null, null, 1, 3136, 1003520)]
    [InlineData(null, 100, 1, 100, 100)] // fewer than the checkpoint's fewest
    [InlineData(5000, 100, 1, 100, 100)]
    [InlineData(5000, null, 1, 5000, 1003520)]
    [InlineData(2000000, null, 1, 1003520, 1003520)]
    [InlineData(null, 12845056, 1, 3136, 12845056)]
    [InlineData(10, 100, 30, 300, 3000)] // of frames together
    [InlineData(12845056, 12845056, 1000, int.MaxValue, int.MaxValue)]
    public void The_most_pixels_count_more_than_the_fewest(int? min, int? max, int frames, int fewest, int most)
        => Assert.Equal(new PixelLimits(fewest, most), new ImageBudget().Of(new PixelLimits(3136, 12845056), min, max, frames));

    // The goldens of the reference stack lie below, so that they are what they would be without it.
    [Theory]
    [MemberData(nameof(Golden.All), MemberType = typeof(Golden))]
    public void The_ceiling_lies_above_all_goldens(string name)
    {
        foreach (var tensor in new[] { "image_grid_thw", "video_grid_thw" }.Where(Golden.Load(name).Has))
        {
            Assert.All(Golden.Load(name).Integers(tensor).Chunk(3), grid => Assert.InRange(grid[1] * grid[2] * 14 * 14, 1, ImageBudget.ProcessorPixels));
        }
    }

    [Fact]
    public void A_part_of_the_prompt_wins_over_the_models_options()
    {
        using var model = Load(new ModelOptions { MaxPixels = 100 * Token, MinPixels = 80 * Token });
        var small = PngFiles.Gray(56, 56);
        Assert.InRange(Tokens(model, new Prompt().Image(Photo)), 80, 100);
        Assert.InRange(Tokens(model, new Prompt().Image(small)), 80, 100);
        Assert.InRange(Tokens(model, new Prompt().Pixels(max: 30 * Token).Image(Photo)), 20, 30); // the most win over the fewest
        Assert.InRange(Tokens(model, new Prompt().Pixels(min: 200 * Token, max: 300 * Token).Image(small)), 200, 300);

        // From there on; and back to the model's.
        var parts = new Prompt().Image(Photo).Pixels(max: 30 * Token).Image(Photo).Pixels().Image(Photo);
        Assert.Equal((2 * Tokens(model, new Prompt().Image(Photo))) + Tokens(model, new Prompt().Pixels(max: 30 * Token).Image(Photo)), Tokens(model, parts));

        var message = new ChatMessage(ChatRole.User, [new ImagePart(MediaSource.Memory(Photo, "photo")) { MaxPixels = 9 * Token }]);
        Assert.InRange(Media(model, model.Prepare([message])), 4, 9);
    }

    [Fact]
    public void Frames_of_videos_keep_to_it_too()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllBytes(folder.File("frame.png"), Photo);
        string[] frames = [folder.File("frame.png"), folder.File("frame.png"), folder.File("frame.png")];
        Assert.InRange(Tokens(_model, new Prompt().Pixels(max: 30 * Token).Video(frames)), 2 * 20, 2 * 30);
        Assert.InRange(Tokens(_model, new Prompt().Video(frames)), 2 * 600, 2 * 1280);
    }

    [Fact]
    public void Limits_below_a_pixel_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Prompt().Pixels(max: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Prompt().Pixels(min: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelOptions { MaxPixels = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImagePart(MediaSource.File("a")) { MinPixels = 0 });
    }

    // The reference stack's, at two factors and several limits.
    [Fact]
    public void Sizes_are_the_references()
    {
        using var cases = JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Golden("image-sizes.json")));
        Assert.All(cases.RootElement.EnumerateArray(), size =>
        {
            int Value(string name) => size.GetProperty(name).GetInt32();
            var limits = new PixelLimits(Value("min_pixels"), Value("max_pixels"));
            var result = size.GetProperty("result");
            if (result.ValueKind == JsonValueKind.String)
            {
                Assert.Equal(DiagnosticCodes.ImageShapeNotSupported, Assert.Throws<MASQuantException>(() => SmartResize.Choose(Value("width"), Value("height"), Value("factor"), limits)).Code);
                return;
            }

            Assert.Equal((result[1].GetInt32(), result[0].GetInt32()), SmartResize.Choose(Value("width"), Value("height"), Value("factor"), limits));
        });
    }

    private static LoadedModel Load(ModelOptions options) => LoadedModel.Load(RepositoryFiles.VlTiny, options with { Device = "cpu" });

    private static int Tokens(LoadedModel model, Prompt prompt) => Media(model, model.Prepare(prompt));

    private static int Media(LoadedModel model, PreparedPrompt prompt) => prompt.InputIds.Count(id => id == model.Config.ImageTokenId || id == model.Config.VideoTokenId);
}
