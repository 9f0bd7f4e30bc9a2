using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Execution;

public sealed class LoadedModelTests(OmniFixture omni) : IClassFixture<OmniFixture>
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
        using var model = LoadedModel.Load(RepositoryFiles.VlTiny);

        Assert.Equal(DiagnosticCodes.UnsupportedModality, Assert.Throws<MASQuantException>(() => model.Prepare(GoldenPrompt.Of(Golden.Load("omni/audio")))).Code);
    }

    [Fact]
    public void A_disposed_model_refuses_work()
    {
        var model = LoadedModel.Load(RepositoryFiles.VlTiny);
        model.Dispose();

        Assert.Throws<ObjectDisposedException>(() => model.Prepare(Verse));
        Assert.Throws<ObjectDisposedException>(() => model.Generate(Verse).First());
        Assert.Throws<ObjectDisposedException>(() => model.Logits(TinyDecoder.Prompt(Golden.Load("vl/text"))));
        Assert.Throws<ObjectDisposedException>(() => model.GenerateTokens(TinyDecoder.Prompt(Golden.Load("vl/text"))));
    }

    // 25 positions a second (Omni) and 2 frames a row: the second row stands 2 / fps seconds after the first.
    [Theory]
    [InlineData(2, 25)]
    [InlineData(4, 12)]
    [InlineData(1, 50)]
    public void Video_rows_follow_the_frame_rate(double framesPerSecond, int distance)
    {
        var frame = Golden.Load("omni/image").Files[0];
        var prompt = omni.Model.Prepare(new Prompt().Video([frame, frame, frame, frame], framesPerSecond));
        var video = prompt.InputIds.Select((id, t) => (id, t)).Where(token => token.id == omni.Model.Config.VideoTokenId).Select(token => prompt.PositionIds.Time[token.t]).ToArray();

        Assert.Equal([video[0], video[0] + distance], video.Distinct());
    }

    [Fact]
    public void Options_and_end_tokens_come_from_the_checkpoint()
    {
        using var folder = new TemporaryDirectory();
        foreach (var file in Directory.GetFiles(RepositoryFiles.VlTiny))
        {
            File.Copy(file, folder.File(Path.GetFileName(file)));
        }

        using (var greedy = LoadedModel.Load(folder.Path))
        {
            Assert.Equal(new GenerationOptions(), greedy.RecommendedOptions);
        }

        var prompt = TinyDecoder.Prompt(Golden.Load("vl/text"));
        var second = Golden.Load("vl/text").Integers("greedy")[1];
        File.WriteAllText(folder.File("generation_config.json"), $$"""{"do_sample": true, "temperature": 0.5, "top_p": 0.8, "top_k": 7, "min_p": 0.1, "repetition_penalty": 1.05, "eos_token_id": [{{second}}]}""");
        using var model = LoadedModel.Load(folder.Path);

        Assert.Equal(new GenerationOptions { Temperature = 0.5, TopP = 0.8, TopK = 7, MinP = 0.1, RepetitionPenalty = 1.05 }, model.RecommendedOptions);
        Assert.Equal(new GenerationOptions(), model.DefaultOptions);
        Assert.Equal(2, model.GenerateTokens(prompt).Count());

        // Where no options are given, on request.
        using var recommended = LoadedModel.Load(folder.Path, new ModelOptions { Sampling = Sampling.Recommended });
        Prompt question = new Prompt().Text("Say one."), other = new Prompt().Text("Say two.");
        File.WriteAllText(folder.File("generation_config.json"), """{"do_sample": false, "temperature": 0.5, "repetition_penalty": 1.3, "presence_penalty": 0.5, "frequency_penalty": 0.25, "max_new_tokens": 3, "stop_strings": "?"}""");
        using var penalized = LoadedModel.Load(folder.Path, new ModelOptions { Sampling = Sampling.Recommended });
        Assert.Equal(["?"], penalized.DefaultOptions.StopStrings);
        Assert.Equal(
            new GenerationOptions { RepetitionPenalty = 1.3, PresencePenalty = 0.5, FrequencyPenalty = 0.25, MaxTokens = 3, StopStrings = penalized.DefaultOptions.StopStrings },
            penalized.DefaultOptions);
        foreach (var model2 in (LoadedModel[])[recommended, penalized])
        {
            var chosen = model2.RecommendedOptions;
            Assert.Equal(model2.Generate(question, chosen), model2.Generate(question));
            Assert.Equal(model2.GenerateBatch([question, other], chosen), model2.GenerateBatch([question, other]));
            Assert.Equal(model2.GenerateTokens(prompt, chosen), model2.GenerateTokens(prompt));
            Assert.NotEqual(model2.GenerateTokens(prompt, new GenerationOptions()), model2.GenerateTokens(prompt));
        }
    }

    [Fact]
    public void A_token_outside_the_embedding_is_refused()
    {
        var embedding = omni.Model.Encoder.Embedding;
        var rows = new Matrix(1, embedding.HiddenSize);

        embedding.Lookup([embedding.VocabularySize - 1], rows);
        Assert.Equal(DiagnosticCodes.TokenOutsideEmbedding, Assert.Throws<MASQuantException>(() => embedding.Lookup([embedding.VocabularySize], rows)).Code);
        Assert.Equal(DiagnosticCodes.TokenOutsideEmbedding, Assert.Throws<MASQuantException>(() => embedding.Lookup([-1], rows)).Code);
    }
}
