using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Vision;
using MASQuant.Engine.Vision.Images;
using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>Further families against the reference, from messages and files to the answer.</summary>
public sealed class FurtherFamilyTests(FurtherFamilyModels models) : IClassFixture<FurtherFamilyModels>
{
    public static TheoryData<string, string> All => FamilyFixtures.All;

    public static TheoryData<string, string> Seen => FamilyFixtures.Seen;

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void A_prompt_becomes_the_reference_input(string family, string name)
    {
        var golden = FamilyFixtures.Golden(family, name);
        var prompt = models[family].Prepare(FamilyFixtures.Messages(golden));

        Assert.Equal(golden.Integers("input_ids"), prompt.InputIds);
        int[] positions = [.. prompt.PositionIds.Time, .. prompt.PositionIds.Height, .. prompt.PositionIds.Width];
        Assert.Equal(golden.Integers("position_ids"), positions);
        Assert.Equal(positions.Max() + 1, prompt.PositionIds.Next);
        GoldenAssert.Near(golden, "inputs_embeds", prompt.InputEmbeddings);
    }

    [SkippableTheory]
    [MemberData(nameof(Seen))]
    public void Pixels_and_every_block_of_the_tower_match_the_reference(string family, string name)
    {
        var golden = FamilyFixtures.Golden(family, name);
        using var source = Checkpoint.Open(FamilyFixtures.Model(family));
        var config = ModelConfigReader.Read(source);
        var media = Media(golden, new ImagePreprocessor(PreprocessorConfigReader.Read(source, config), config.Vision));
        foreach (var (pixels, grid, images) in new[] { ("pixel_values", "image_grid_thw", media.Where(patches => !patches.Video)), ("pixel_values_videos", "video_grid_thw", media.Where(patches => patches.Video)) })
        {
            ImagePatches[] patches = [.. images.Select(image => image.Patches)];
            Assert.Equal(golden.Has(grid) ? golden.Integers(grid) : [], patches.SelectMany(image => new[] { image.GridT, image.GridH, image.GridW }));
            if (patches.Length > 0)
            {
                // Each value is one of 256 per colour, computed in the reference's order: what differs is an image that was resized otherwise.
                GoldenAssert.Near(golden, pixels, Matrix.Concatenate([.. patches.Select(image => image.Pixels)], patches[0].Pixels.Columns), 1e-6);
            }
        }

        ImagePatches[] all = [.. media.Select(image => image.Patches)];
        var stages = all.Select(image => TowerStages(source, config.VisionTower(), image)).ToArray();
        for (var stage = 0; stage < stages[0].Count; stage++)
        {
            GoldenAssert.Near(golden, stage == 0 ? "vision.patches" : $"vision.block.{stage - 1}", Matrix.Concatenate([.. stages.Select(each => each[stage])], config.Vision.HiddenSize));
        }

        var tokens = new VisionTower(source, config.VisionTower()).Forward(all);
        GoldenAssert.Near(golden, "vision_tower", tokens.Tokens);
        foreach (var (level, rows) in tokens.Deepstack.Index())
        {
            GoldenAssert.Near(golden, $"deepstack.{level}", rows);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void Every_layer_and_the_logits_match_the_reference(string family, string name)
    {
        var golden = FamilyFixtures.Golden(family, name);
        var model = models[family];
        var prompt = model.Prepare(FamilyFixtures.Messages(golden));
        var rotary = new RotaryTable(model.Decoder.Description.Rotary);
        rotary.Set(prompt.PositionIds);
        var workspace = new DecoderWorkspace(model.Config.Text);
        var hidden = prompt.InputEmbeddings.Copy();
        for (var layer = 0; layer < model.Config.Text.Layers; layer++)
        {
            var block = model.Decoder.Blocks[layer];
            var adds = block.Description.Steps.Index().Where(step => step.Item is AddStep).Select(step => step.Index).ToArray();
            if (layer == 0)
            {
                GoldenAssert.Near(golden, $"layer.0.{(block.Description.Steps.Any(step => step is AttendStep) ? "self_attn" : "linear_attn")}", block.Forward(..adds[0], hidden.Copy(), [], prompt.Modalities, rotary, workspace)[0]);
                GoldenAssert.Near(golden, "layer.0.mlp", block.Forward(..adds[1], hidden.Copy(), [], prompt.Modalities, rotary, workspace)[0]);
            }

            // The reference's outputs are those before deepstack's rows are added.
            block.Forward(..(adds[1] + 1), hidden, [], prompt.Modalities, rotary, workspace);
            GoldenAssert.Near(golden, $"layer.{layer}.output", hidden);
            block.Forward((adds[1] + 1).., hidden, [], prompt.Modalities, rotary, workspace, prompt.Deepstack);
        }

        GoldenAssert.Near(golden, "logits", model.Logits(prompt));
    }

    [SkippableTheory]
    [MemberData(nameof(All))]
    public void The_greedy_answer_is_the_reference_answer(string family, string name)
    {
        var golden = FamilyFixtures.Golden(family, name);
        var expected = golden.Integers("greedy");
        var prompt = models[family].Prepare(FamilyFixtures.Messages(golden));

        Assert.Equal(expected, models[family].GenerateTokens(prompt, new GenerationOptions { MaxTokens = expected.Length }));
    }

    private static List<(ImagePatches Patches, bool Video)> Media(Golden golden, ImagePreprocessor preprocessor)
        => [.. FamilyFixtures.Messages(golden).SelectMany(message => message.Content).Select(part => part switch
        {
            ImagePart image => (preprocessor.Process(Decode(image.Source)), false),
            VideoPart video => (preprocessor.ProcessVideo([.. video.Frames.Select(Decode)]), true),
            _ => default((ImagePatches, bool)?),
        }).OfType<(ImagePatches, bool)>()];

    private static RgbImage Decode(MediaSource source) => ImageDecoder.Decode(source.Read().Span, source.Name);

    // The tower's stream as it enters the first block, and as it leaves each, in the order in which patches arrive.
    private static List<Matrix> TowerStages(Checkpoint source, VisionTowerDescription tower, ImagePatches image)
    {
        var layout = new VisionTowerLayout(image.GridT, image.GridH, image.GridW, tower.Config);
        var rotary = new VisionTowerRotary(layout, image.Pixels.Rows, tower.Config.HiddenSize / tower.Config.Heads, tower.RotaryTheta);
        var attention = new TowerAttention(layout.WindowBounds, layout.FrameBounds, rotary.Rotate, default);
        var x = DenseLinear.Read(source, tower.PatchEmbedding).Forward(image.Pixels);
        VisionTowerPositions.Read(source, tower)?.AddTo(x, layout, image.GridH, image.GridW);
        var stages = new List<Matrix> { x.Copy() };
        foreach (var block in tower.Blocks)
        {
            TransformerBlock.Read(source, block).Run(x, ModalityMap.Text(0), new StepValues(), attention);
            stages.Add(x.Copy());
        }

        return stages;
    }
}
