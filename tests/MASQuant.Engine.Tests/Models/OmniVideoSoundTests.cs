using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>A video with its own sound, one shorter and one longer than a chunk, against the reference.</summary>
/// <remarks>The reference's processor was told <c>use_audio_in_video</c> for these goldens, its model was not: tokens and embeddings are those of an interleaved video, and positions, and what follows from them, those of a plain sequence.
/// What it does when both are told is in <see cref="Positions_count_from_the_start_of_both_media"/>.</remarks>
public sealed class OmniVideoSoundTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    public static TheoryData<string> Cases => ["video-sound", "video-sound-long"];

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void A_prompt_becomes_the_reference_input(string name)
    {
        var golden = FamilyFixtures.OmniVideo(name);
        var prompt = omni.Model.Prepare(GoldenPrompt.Of(golden));

        Assert.Equal(golden.Integers("input_ids"), prompt.InputIds);
        Assert.Equal(golden.Integers("input_ids").Select(id => PlaceholderTokens.ModalityOf(id, omni.Model.Config)), prompt.Modalities.Tokens.ToArray());
        GoldenAssert.Near(golden, "inputs_embeds", prompt.InputEmbeddings);
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Every_layer_and_the_logits_match_the_reference(string name)
    {
        var golden = FamilyFixtures.OmniVideo(name);
        var prompt = WithReferencePositions(golden);
        var rotary = new RotaryTable(omni.Model.Decoder.Description.Rotary);
        rotary.Set(prompt.PositionIds);
        var workspace = new DecoderWorkspace(omni.Model.Config.Text);
        var hidden = prompt.InputEmbeddings.Copy();
        for (var layer = 0; layer < omni.Model.Config.Text.Layers; layer++)
        {
            omni.Model.Decoder.Blocks[layer].Forward(hidden, prompt.Modalities, rotary, workspace);
            GoldenAssert.Near(golden, $"layer.{layer}.output", hidden);
        }

        GoldenAssert.Near(golden, "logits", omni.Model.Logits(prompt));
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void The_greedy_answer_is_the_reference_answer(string name)
    {
        var golden = FamilyFixtures.OmniVideo(name);
        var expected = golden.Integers("greedy");
        var options = new GenerationOptions { MaxTokens = expected.Length };

        Assert.Equal(expected, omni.Model.GenerateTokens(WithReferencePositions(golden), options));
        Assert.Equal(golden.GreedyText, omni.Model.Tokenizer.Decode(expected));
    }

    // The reference's get_rope_index, told use_audio_in_video: the markers of a side share a position, both media begin at the next, a row of frames stands where its time is,
    // and what follows stands behind the last run.
    [SkippableTheory]
    [InlineData("video-sound", 14 + 1 + 18)] // 18 tokens of sound come last
    [InlineData("video-sound-long", 14 + 1 + 150 + 1)] // rows of frames every 50 positions, the last of four comes last
    public void Positions_count_from_the_start_of_both_media(string name, int end)
    {
        const int Start = 14;
        var golden = FamilyFixtures.OmniVideo(name);
        var prompt = omni.Model.Prepare(GoldenPrompt.Of(golden));
        var (ids, config) = (golden.Integers("input_ids"), omni.Model.Config);
        var (rows, columns) = (golden.Integers("video_grid_thw")[1] / 2, golden.Integers("video_grid_thw")[2] / 2);
        var positionsPerRow = (int)(2 / golden.Json.GetProperty("fps").GetDouble() * 25);
        var (seen, heard, text, media) = (0, 0, 0, ids.IndexOf(config.VideoTokenId));
        for (var t = 0; t < ids.Length; t++)
        {
            var expected = PlaceholderTokens.ModalityOf(ids[t], config) switch
            {
                Modality.Vision => (Start + 1 + (seen / (rows * columns) * positionsPerRow), Start + 1 + (seen % (rows * columns) / columns), Start + 1 + (seen++ % columns)),
                Modality.Audio => (Start + 1 + heard, Start + 1 + heard, Start + 1 + heard++),
                _ when t < media => (Math.Min(t, Start), Math.Min(t, Start), Math.Min(t, Start)),
                _ => (end + Math.Max(0, text - 1), end + Math.Max(0, text - 1), end + Math.Max(0, text++ - 1)),
            };
            Assert.Equal(expected, (prompt.PositionIds.Time[t], prompt.PositionIds.Height[t], prompt.PositionIds.Width[t]));
        }

        Assert.Equal(Rows(prompt.PositionIds).Max() + 1, prompt.PositionIds.Next);
    }

    private PreparedPrompt WithReferencePositions(Golden golden)
    {
        var prompt = omni.Model.Prepare(GoldenPrompt.Of(golden));
        Assert.Equal(golden.Integers("position_ids"), Rows(PositionIds.Text(0, prompt.InputIds.Length)));
        return prompt with { PositionIds = PositionIds.Text(0, prompt.InputIds.Length) };
    }

    private static int[] Rows(PositionIds positions) => [.. positions.Time, .. positions.Height, .. positions.Width];
}
