using MASQuant.Diagnostics;
using MASQuant.Engine.Tests.Layers;
using MASQuant.Engine.Tests.Models;
using MASQuant.Engine.Tests.VectorWidth;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Images;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Vision;

public sealed class VisionTowerTests
{
    public static TheoryData<string> Cases => Golden.With("vision_tower");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Tokens_equal_the_reference(string name)
    {
        var golden = Golden.Load(name);
        using var source = Checkpoint.Open(golden.IsOmni ? RepositoryFiles.OmniTiny : RepositoryFiles.VlTiny);
        var config = ModelConfigReader.Read(source);
        var preprocessor = new ImagePreprocessor(PreprocessorConfigReader.Read(source, config), config.Vision);
        var images = golden.Files.Where(f => f.EndsWith(".png", StringComparison.Ordinal)).Select(f => ImageDecoder.Decode(File.ReadAllBytes(f), f)).ToArray();

        var tokens = new VisionTower(source, config.VisionTower())
            .Forward(golden.Has("video_grid_thw") ? [preprocessor.ProcessVideo(images)] : [.. images.Select(image => preprocessor.Process(image))]);

        GoldenAssert.Near(golden, "vision_tower", tokens.Tokens);
    }

    [Fact]
    public void Every_patch_needs_its_place_in_the_grid()
    {
        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        var tower = new VisionTower(source, ModelConfigReader.Read(source).VisionTower());
        Assert.Throws<ArgumentException>("image", () => tower.Forward(new ImagePatches(new Matrix(12, 1176), 1, 4, 4)));
        Assert.Throws<ArgumentException>("image", () => tower.Forward(new ImagePatches(new Matrix(16, 1175), 1, 4, 4)));
        Assert.Throws<ArgumentException>("rows", () => tower.Forward(new ImagePatches(new Matrix(12, 1176), 1, 3, 4)));
    }

    [Fact]
    public void Cancellation_is_reported()
    {
        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        var tower = new VisionTower(source, ModelConfigReader.Read(source).VisionTower());
        Assert.Throws<OperationCanceledException>(() => tower.Forward(new ImagePatches(new Matrix(16, 1176), 1, 4, 4), new CancellationToken(canceled: true)));
    }

    [Fact]
    public void A_configuration_of_another_model_is_refused()
    {
        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        var config = ModelConfigReader.Read(source).Vision;
        Assert.Equal(DiagnosticCodes.TensorMismatch, Assert.Throws<MASQuantException>(() => new VisionTower(source, Qwen25VisionTower.Describe(config with { IntermediateSize = 100 }))).Code);
        Assert.Equal(DiagnosticCodes.TensorMissing, Assert.Throws<MASQuantException>(() => new VisionTower(source, Qwen25VisionTower.Describe(config with { Depth = 4 }))).Code);
    }

    /// <summary>A hash of the tokens of a random image of the Omni model, for <see cref="VectorWidthTests"/>.</summary>
    internal static string Hash()
    {
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var tower = new VisionTower(source, ModelConfigReader.Read(source).VisionTower());
        return ResultHashes.Of(tower.Forward(new ImagePatches(new Matrix(48, 1176, Oracle.Random(48 * 1176, 1)), 1, 6, 8)).Tokens.Data);
    }
}
