using MASQuant.Engine.Tests.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Serving;

/// <summary>A second picture behind a turn that is kept: positions, and what a tower leaves for the first blocks, go on where they were.</summary>
public sealed class FamilyConversationTests(FurtherFamilyModels models) : IClassFixture<FurtherFamilyModels>
{
    private static readonly GenerationOptions Short = new() { MaxTokens = 5 };

    [SkippableTheory]
    [InlineData("qwen2-vl-tiny")]
    [InlineData("qwen3-vl-tiny")]
    [InlineData("qwen3_5-tiny")]
    public async Task A_further_picture_follows_what_is_kept(string family)
    {
        var model = models[family];
        var first = new Prompt().Image(Picture("000")).Text("Read the digits.");
        var answer = await Ask(first);
        var second = new Prompt().Image(Picture("000")).Text("Read the digits.").Assistant(answer.Text).Image(Picture("001")).Image(Picture("003")).Text("And these?");
        var next = await Ask(second);

        Assert.InRange(next.Cached, model.Encoder.Plan(first.Messages).Ids.Length - 1, int.MaxValue);
        Assert.Equal(string.Concat(model.Generate(second, Short)), next.Text);

        async Task<(string Text, int Cached)> Ask(Prompt prompt)
        {
            var (text, cached) = ("", 0);
            await foreach (var piece in model.GeneratePiecesAsync(prompt, Short))
            {
                text += piece.Text;
                cached = piece.Usage?.CachedTokens ?? cached;
            }

            return (text, cached);
        }
    }

    private static string Picture(string number) => RepositoryFiles.Data($"media/calib-match-{number}.png");
}
