using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>The facts of the two sample checkpoints that position and placeholder tests need, written down by hand.</summary>
internal static class TinyConfigs
{
    public static ModelConfig Omni { get; } = new()
    {
        Family = new Qwen25Omni(),
        Text = Text(256, 6, 768, [8, 12, 12], 4096, tied: false),
        Vision = Vision,
        Audio = new AudioConfig { Layers = 3, ModelSize = 128, Heads = 4, FeedForwardSize = 512, MelBins = 128, OutputSize = 256, HalfWindow = 100, MaxSourcePositions = 1500 },
        ImageTokenId = 1212,
        VideoTokenId = 1213,
        AudioTokenId = 1203,
        VisionStartTokenId = 1209,
        VisionEndTokenId = 1210,
        AudioStartTokenId = 1204,
        AudioEndTokenId = 1205,
        PositionsPerSecond = 25,
    };

    public static ModelConfig VL { get; } = new()
    {
        Family = new Qwen25VL(),
        Text = Text(128, 3, 256, [4, 6, 6], 32768, tied: true),
        Vision = Vision,
        ImageTokenId = 1212,
        VideoTokenId = 1213,
        VisionStartTokenId = 1209,
        VisionEndTokenId = 1210,
        PositionsPerSecond = 2,
    };

    public static ModelConfig Of(Golden golden) => golden.IsOmni ? Omni : VL;

    private static TextConfig Text(int hidden, int layers, int intermediate, int[] sections, int positions, bool tied) => new()
    {
        HiddenSize = hidden,
        Layers = layers,
        IntermediateSize = intermediate,
        AttentionHeads = 4,
        KeyValueHeads = 2,
        VocabularySize = 1280,
        RmsNormEpsilon = 1e-6f,
        RopeTheta = 1_000_000f,
        MropeSections = sections,
        TieWordEmbeddings = tied,
        MaxPositions = positions,
    };

    private static VisionConfig Vision => new()
    {
        Depth = 1,
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
