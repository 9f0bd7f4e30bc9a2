using MASQuant.Chat;
using MASQuant.Diagnostics;
using MASQuant.Tests.Models;

namespace MASQuant.Tests;

public sealed class MultimodalModelTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    private static readonly GenerationOptions Short = new() { MaxTokens = 12 };

    private static Prompt Verse => new Prompt().Text("Quote a verse.");

    [Fact]
    public async Task Streaming_asynchronously_gives_the_same_pieces()
    {
        var pieces = new List<string>();
        await foreach (var piece in omni.Model.GenerateAsync(Verse, Short))
        {
            pieces.Add(piece);
        }

        Assert.Equal(omni.Model.Generate(Verse, Short), pieces);
        Assert.True(pieces.Count > 1);
    }

    [Fact]
    public void Cancelling_ends_the_answer_in_the_middle()
    {
        using var cancellation = new CancellationTokenSource();
        var pieces = new List<string>();

        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (var piece in omni.Model.Generate(Verse, Short, cancellation.Token))
            {
                pieces.Add(piece);
                if (pieces.Count == 2)
                {
                    cancellation.Cancel();
                }
            }
        });
        Assert.Equal(omni.Model.Generate(Verse, Short).Take(2), pieces);
    }

    [Fact]
    public async Task Threads_share_a_model()
    {
        var image = GoldenPrompt.Of(Golden.Load("omni/image"));
        var (verse, digits) = (Answer(Verse), Answer(image));
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => Answer(i % 2 == 0 ? Verse : image))));

        Assert.All(answers.Select((answer, i) => (answer, i)), pair => Assert.Equal(pair.i % 2 == 0 ? verse : digits, pair.answer));

        string Answer(Prompt prompt) => string.Concat(omni.Model.Generate(prompt, Short));
    }

    [Fact]
    public void Sampling_repeats_with_its_seed()
    {
        var sampled = Short with { Temperature = 1.5, Seed = 3 };

        Assert.Equal(Tokens(sampled), Tokens(sampled));
        Assert.NotEqual(Tokens(sampled), Tokens(sampled with { Seed = 4 }));

        int[] Tokens(GenerationOptions options) => [.. omni.Model.GenerateTokens(omni.Model.Prepare(Verse), options)];
    }

    [Fact]
    public void Stop_tokens_end_the_answer()
    {
        var tokens = omni.Model.GenerateTokens(omni.Model.Prepare(Verse), Short).ToArray();

        Assert.Equal(tokens[..4], omni.Model.GenerateTokens(omni.Model.Prepare(Verse), Short with { StopTokens = [tokens[3]] }));
    }

    [Fact]
    public void An_answer_in_the_messages_is_marked()
    {
        var question = omni.Model.Prepare(Verse);
        var answered = omni.Model.Prepare([new(ChatRole.User, "Quote a verse."), new(ChatRole.Assistant, "And the LORD")]);
        var (start, length) = answered.AnswerRange.GetOffsetAndLength(answered.InputIds.Length);

        Assert.Equal(question.InputIds, answered.InputIds[..start]);
        Assert.Equal("And the LORD<|im_end|>", omni.Model.Tokenizer.Decode(answered.InputIds[answered.AnswerRange]));

        var logits = omni.Model.Logits(answered, (start - 1)..(start + length - 1));
        var all = omni.Model.Logits(answered);
        Assert.Equal(all.Row(start - 1), logits.Row(0));
        Assert.Equal(all.Row(start + length - 2), logits.Row(length - 1));
    }

    [Fact]
    public void A_model_without_ears_refuses_audio()
    {
        using var model = MultimodalModel.Load(RepositoryFiles.VlTiny);

        Assert.Equal(DiagnosticCodes.UnsupportedModality, Assert.Throws<MasQuantException>(() => model.Prepare(GoldenPrompt.Of(Golden.Load("omni/audio")))).Code);
    }

    [Fact]
    public void A_disposed_model_refuses_work()
    {
        var model = MultimodalModel.Load(RepositoryFiles.VlTiny);
        model.Dispose();

        Assert.Throws<ObjectDisposedException>(() => model.Prepare(Verse));
        Assert.Throws<ObjectDisposedException>(() => model.Generate(Verse).First());
    }
}
