using MASQuant.Diagnostics;
using MASQuant.Engine.Tests.Models;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Vision;

/// <summary>The vision tower is what its description says.</summary>
public sealed class TowerDescriptionTests
{
    [Fact]
    public void A_block_described_as_two_is_the_same_tower()
    {
        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        var whole = Qwen25VisionTower.Describe(TinyConfigs.VL.Vision);
        var expected = new VisionTower(source, whole).Forward(Image()).Tokens.Span.ToArray();
        Assert.Equal(expected, new VisionTower(source, With(whole, Cut)).Forward(Image()).Tokens.Span.ToArray());
        Assert.NotEqual(expected, new VisionTower(source, With(whole, block => [.. Cut(block).Reverse()])).Forward(Image()).Tokens.Span.ToArray());
    }

    [Fact]
    public void Layers_are_read_as_one_where_the_description_says_so()
    {
        using var source = Checkpoint.Open(RepositoryFiles.VlTiny);
        var apart = With(Qwen25VisionTower.Describe(TinyConfigs.VL.Vision), block => [new BlockDescription(block.Prefix, [.. block.Steps.Select(step => step is ProjectStep project ? project with { FusedName = null } : step)])]);
        var exception = Assert.Throws<MASQuantException>(() => new VisionTower(source, apart));
        Assert.Equal(DiagnosticCodes.TensorMissing, exception.Code);
        Assert.Contains("'visual.blocks.0.attn.q.weight'", exception.Message, StringComparison.Ordinal);
    }

    private static BlockDescription[] Cut(BlockDescription block)
    {
        var cut = block.Steps.Index().First(step => step.Item is AddStep).Index + 1;
        return [new BlockDescription(block.Prefix, [.. block.Steps.Take(cut)]), new BlockDescription(block.Prefix, [.. block.Steps.Skip(cut)])];
    }

    private static VisionTowerDescription With(VisionTowerDescription tower, Func<BlockDescription, BlockDescription[]> change) => new()
    {
        Config = tower.Config,
        PatchEmbedding = tower.PatchEmbedding,
        RotaryTheta = tower.RotaryTheta,
        Blocks = [.. tower.Blocks.SelectMany(change)],
        Merger = tower.Merger,
    };

    private static ImagePatches Image()
    {
        var (random, patches) = (new Random(3), 6 * 12);
        return new ImagePatches(new Matrix(patches, 1176, [.. Enumerable.Range(0, patches * 1176).Select(_ => (random.NextSingle() * 4) - 2)]), 1, 6, 12);
    }
}
