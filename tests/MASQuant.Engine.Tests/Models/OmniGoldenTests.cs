using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>The whole Omni path, from text and media files to the answer, against the reference.</summary>
public sealed class OmniGoldenTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    public static TheoryData<string> Cases => Golden.Omni;

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_prompt_becomes_the_reference_input(string name)
    {
        var golden = Golden.Load(name);
        var prompt = omni.Model.Prepare(GoldenPrompt.Of(golden));

        Assert.Equal(golden.Integers("input_ids"), prompt.InputIds);
        int[] positions = [.. prompt.PositionIds.Time, .. prompt.PositionIds.Height, .. prompt.PositionIds.Width];
        Assert.Equal(golden.Integers("position_ids"), positions);
        Assert.True(prompt.AnswerRange.Equals(prompt.InputIds.Length..prompt.InputIds.Length));
        GoldenAssert.Near(golden, "inputs_embeds", prompt.InputEmbeddings);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_layer_and_the_logits_match_the_reference(string name)
    {
        var golden = Golden.Load(name);
        var prompt = omni.Model.Prepare(GoldenPrompt.Of(golden));
        var config = omni.Model.Config.Text;
        var rotary = new RotaryTable(omni.Model.Decoder.Description.Rotary);
        rotary.Set(prompt.PositionIds);
        var workspace = new DecoderWorkspace(config);
        var hidden = new Matrix(prompt.InputEmbeddings.Rows, prompt.InputEmbeddings.Columns, prompt.InputEmbeddings.Span.ToArray());

        for (var layer = 0; layer < config.Layers; layer++)
        {
            omni.Model.Decoder.Blocks[layer].Forward(hidden, prompt.Modalities, rotary, workspace);
            GoldenAssert.Near(golden, $"layer.{layer}.output", hidden);
        }

        GoldenAssert.Near(golden, "logits", omni.Model.Logits(prompt));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_greedy_answer_is_the_reference_answer(string name)
    {
        var golden = Golden.Load(name);
        var expected = golden.Integers("greedy");
        var options = new GenerationOptions { MaxTokens = expected.Length };

        Assert.Equal(expected, omni.Model.GenerateTokens(omni.Model.Prepare(GoldenPrompt.Of(golden)), options));
        Assert.Equal(golden.GreedyText.Replace("<|im_end|>", "", StringComparison.Ordinal), string.Concat(omni.Model.Generate(GoldenPrompt.Of(golden), options)));
    }
}
