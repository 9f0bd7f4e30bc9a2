using FsCheck;
using FsCheck.Fluent;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Execution;

/// <summary>An answer is its prompt's, whatever stands before, beside and behind it in a batch, and as often as it is asked for.</summary>
public sealed class BatchOrderTests : IDisposable
{
    private const int Slots = 3;

    private static readonly Prompt[] Prompts =
    [
        new Prompt().Text("Quote a verse."),
        GoldenPrompt.Of(Golden.Load("omni/audio")),
        new Prompt().Text("😀"),
        GoldenPrompt.Of(Golden.Load("omni/image")),
        new Prompt().Text("?"),
    ];

    private readonly LoadedModel _model = LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { MaxSequences = Slots });

    public void Dispose() => _model.Dispose();

    [Fact]
    public void The_order_of_prompts_changes_no_answer()
    {
        var tokens = Enumerable.Range(1, 6).ToArray();
        var alone = tokens.ToDictionary(most => most, most => Prompts.Select(prompt => _model.GenerateBatch([prompt], Options(most))[0]).ToArray());
        Assert.True(alone[tokens[^1]].Distinct().Count() > 2); // Answers differ, so that one in another's place shows.
        var batches = Gen.Choose(0, Prompts.Length - 1).ArrayOf().Where(order => order.Length is > 0 and <= 8).Zip(Gen.Elements(tokens));
        Prop.ForAll(batches.ToArbitrary(), batch => _model.GenerateBatch(batch.Item1.Select(i => Prompts[i]), Options(batch.Item2)).SequenceEqual(batch.Item1.Select(i => alone[batch.Item2][i])))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(20).WithReplay(17, 23));
    }

    private static GenerationOptions Options(int most) => new() { MaxTokens = most };
}
