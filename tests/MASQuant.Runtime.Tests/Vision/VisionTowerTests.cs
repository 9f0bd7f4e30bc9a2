using MASQuant.Configuration;
using MASQuant.Safetensors;
using MASQuant.Tests.Models;
using MASQuant.Vision;

namespace MASQuant.Tests.Vision;

public sealed class VisionTowerTests
{
    [Theory]
    [InlineData("vl/two-images")]
    [InlineData("vl/video")]
    public void TokensEqualTheReference(string name)
    {
        var golden = Golden.Load(name);
        using var source = SafetensorsFile.Open(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"));
        var preprocessor = new ImagePreprocessor(
            new PreprocessorConfig { MinPixels = 3136, MaxPixels = 12845056, ImageMean = [0.48145466f, 0.4578275f, 0.40821073f], ImageStd = [0.26862954f, 0.26130258f, 0.27577711f] }, VL, golden.IsOmni ? ModelFamily.Qwen25Omni : ModelFamily.Qwen25VL);
        var images = golden.Files.Where(f => f.EndsWith(".png", StringComparison.Ordinal)).Select(f => ImageDecoder.Decode(File.ReadAllBytes(f), f)).ToArray();

        var tokens = new VisionTower(source, VL).Forward(name.EndsWith("video", StringComparison.Ordinal) ? [preprocessor.ProcessVideo(images)] : [.. images.Select(i => preprocessor.Process(i))]);

        GoldenAssert.Near(golden, "vision_tower", tokens);
    }

    private static VisionConfig VL { get; } = new()
    {
        Depth = 3,
        HiddenSize = 64,
        IntermediateSize = 96,
        Heads = 4,
        OutHiddenSize = 128,
        PatchSize = 14,
        SpatialMergeSize = 2,
        TemporalPatchSize = 2,
        WindowSize = 56,
        FullAttentionBlocks = [1],
    };
}
