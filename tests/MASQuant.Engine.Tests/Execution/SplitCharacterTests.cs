using MASQuant.Engine.Execution;
using MASQuant.Engine.Text;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Execution;

/// <summary>Answers whose tokens are parts of characters, and special ones, so that the first text of a prompt may come long after its neighbours', or never.</summary>
public sealed class SplitCharacterTests : IDisposable
{
    private const int Batches = 12;
    private const int Slots = 4;
    private const int PromptsOfBatch = 9;
    private readonly LoadedModel _model = LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { MaxSequences = Slots });

    // At this temperature every token is about as likely as every other: some answers begin without text.
    private static GenerationOptions Options(int batch) => new() { Temperature = 100, MaxTokens = 1 + (batch % 5), StopTokens = [], Seed = (ulong)(batch * 1000) };

    private static Prompt[] Prompts => [.. Enumerable.Range(0, PromptsOfBatch).Select(i => new Prompt().Text($"🙂字{i}"))];

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task Answers_equal_those_of_the_prompts_alone()
    {
        var withoutText = 0;
        for (var batch = 0; batch < Batches; batch++)
        {
            var options = Options(batch);
            var alone = Prompts.Select((prompt, i) => string.Concat(_model.Generate(prompt, options with { Seed = options.Seed + (ulong)i }))).ToArray();

            Assert.Equal(alone, _model.GenerateBatch(Prompts, options));
            var pieces = new List<BatchPiece>();
            await foreach (var piece in _model.GenerateBatchAsync(Prompts, options))
            {
                pieces.Add(piece);
            }

            Assert.Equal(alone, Enumerable.Range(0, PromptsOfBatch).Select(i => string.Concat(pieces.Where(piece => piece.Prompt == i).Select(piece => piece.Text))));
            Assert.Equal(Enumerable.Range(0, PromptsOfBatch), pieces.Where(piece => piece.IsLast).Select(piece => piece.Prompt).Order());
            Assert.All(pieces, piece => Assert.True(piece.IsLast || piece.Text.Length > 0));
            withoutText += Prompts.Where((prompt, i) => BeginsWithoutText(prompt, options with { Seed = options.Seed + (ulong)i })).Count();
        }

        Assert.InRange(withoutText, Batches / 3, Batches * PromptsOfBatch);
    }

    private bool BeginsWithoutText(Prompt prompt, GenerationOptions options)
        => new TokenStream(_model.Tokenizer).Append(_model.GenerateTokens(_model.Prepare(prompt), options).First()).Length == 0;
}
