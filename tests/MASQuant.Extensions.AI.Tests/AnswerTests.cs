using MASQuant.Runtime;
using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>Answers through <see cref="IChatClient"/> are those of the model, and those of the reference stack.</summary>
public class AnswerTests(OmniClient omni) : IClassFixture<OmniClient>
{
    [Theory]
    [InlineData("omni/audio", "audio", "Transcribe the speech.")]
    [InlineData("omni/image", "image", "Read the digits.")]
    public async Task Media_and_text_are_answered_as_by_the_reference(string name, string kind, string question)
    {
        var golden = Golden.Load(name);
        Assert.Contains(question, golden.Prompt, StringComparison.Ordinal);
        var medium = new DataContent(File.ReadAllBytes(golden.Files[0]), kind == "audio" ? "audio/wav" : "image/png");
        foreach (var content in (AIContent[])[medium, new DataContent(medium.Uri), new UriContent(medium.Uri, medium.MediaType)])
        {
            var response = await omni.Client.GetResponseAsync([new Ai.ChatMessage(Ai.ChatRole.User, [content, new TextContent(question)])]);
            Assert.Equal(golden.GreedyText, response.Text + "<|im_end|>");
        }
    }

    [Fact]
    public async Task A_vision_model_answers_too()
    {
        using var model = MultimodalModel.Load(RepositoryFiles.VlTiny);
        var picture = File.ReadAllBytes(RepositoryFiles.Data("media/calib-ocr-000.png"));
        var response = await model.AsChatClient().GetResponseAsync([new Ai.ChatMessage(Ai.ChatRole.User, [new DataContent(picture, "image/png"), new TextContent("Read the digits.")])]);
        Assert.Equal(string.Concat(model.Generate(new Prompt().Image(picture).Text("Read the digits."))), response.Text);
        Assert.Equal("VlTiny", response.ModelId);
    }

    [Fact]
    public void A_generated_class_is_a_client_as_its_model_is()
    {
        using var client = new Generated(omni.Model).AsChatClient();
        Assert.Equal("OmniTiny", client.GetService<ChatClientMetadata>()!.DefaultModelId);
        Assert.Same(omni.Model, client.GetService<MultimodalModel>());
    }

    [Fact]
    public async Task Turns_become_turns_of_the_prompt()
    {
        var response = await omni.Client.GetResponseAsync(
        [
            new(Ai.ChatRole.System, "Be brief."), new(Ai.ChatRole.System, "Be kind."), new(Ai.ChatRole.User, "Quote a verse."), new(Ai.ChatRole.User, "A short one."),
            new(Ai.ChatRole.Assistant, [new TextReasoningContent("Which?"), new TextContent("In the "), new TextContent("beginning.")]), new(Ai.ChatRole.User, "Quote another."),
        ], new ChatOptions { Instructions = "Be exact." });
        var prompt = new Prompt().System("Be exact.\n\nBe brief.\n\nBe kind.").Text("Quote a verse.").User().Text("A short one.").Assistant("In the beginning.").Text("Quote another.");
        Assert.Equal(omni.Answer(prompt), response.Text);
        Assert.Equal(omni.Model.GeneratePieces(prompt).Last().Usage!.Value.PromptTokens, response.Usage!.InputTokenCount); // answers alone may be alike
    }

    [Fact]
    public async Task Pieces_are_streamed_and_the_last_says_why_and_what_it_took()
    {
        var prompt = new Prompt().Text("Quote a verse.");
        var expected = omni.Model.GeneratePieces(prompt).ToArray();
        var updates = await Updates([new(Ai.ChatRole.User, "Quote a verse.")]);
        Assert.Equal(expected.Select(piece => piece.Text), updates.Select(update => update.Text));
        Assert.True(updates.Count > 2);
        Assert.All(updates, update => Assert.Equal((Ai.ChatRole.Assistant, "OmniTiny"), (update.Role, update.ModelId)));
        Assert.Single(updates.Select(update => (update.ResponseId!, update.MessageId!)).Distinct());
        Assert.All(updates, update => Assert.Matches("^[0-9a-f]{32}$", update.ResponseId));
        Assert.All(updates.SkipLast(1), update => Assert.Null(update.FinishReason));
        Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
        var usage = Assert.IsType<UsageContent>(updates[^1].Contents[^1]).Details;
        var took = expected[^1].Usage!.Value;
        Assert.Equal((took.PromptTokens, took.GeneratedTokens, took.PromptTokens + took.GeneratedTokens), (usage.InputTokenCount, usage.OutputTokenCount, usage.TotalTokenCount));
    }

    [Fact]
    public async Task An_answer_that_is_cut_off_says_so()
    {
        var response = await omni.Client.GetResponseAsync("Quote a verse.", new ChatOptions { MaxOutputTokens = 2 });
        Assert.Equal((ChatFinishReason.Length, 2), (response.FinishReason, response.Usage!.OutputTokenCount));
    }

    [Fact]
    public async Task A_cancelled_answer_ends()
    {
        using var source = new CancellationTokenSource();
        await using var updates = omni.Client.GetStreamingResponseAsync("Quote a verse.", cancellationToken: source.Token).GetAsyncEnumerator();
        Assert.True(await updates.MoveNextAsync());
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await updates.MoveNextAsync());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => omni.Client.GetResponseAsync("Quote a verse.", cancellationToken: source.Token));
    }

    [Fact]
    public async Task A_disposed_client_leaves_the_model_open()
    {
        omni.Model.AsChatClient().Dispose();
        Assert.NotEmpty((await omni.Client.GetResponseAsync("Quote a verse.")).Text);
    }

    [Fact]
    public async Task A_disposed_model_is_told_of()
    {
        var model = MultimodalModel.Load(RepositoryFiles.VlTiny);
        var client = model.AsChatClient();
        model.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetResponseAsync("Quote a verse."));
    }

    [Fact]
    public void Services_of_a_client()
    {
        using var named = omni.Model.AsChatClient(new ModelChatOptions { ModelId = "tiny" });
        Assert.Equal(("masquant", "tiny"), (named.GetService<ChatClientMetadata>()!.ProviderName, named.GetService<ChatClientMetadata>()!.DefaultModelId));
        Assert.Equal("OmniTiny", omni.Client.GetService<ChatClientMetadata>()!.DefaultModelId);
        Assert.Same(omni.Model, omni.Client.GetService<MultimodalModel>());
        Assert.Same(omni.Client, omni.Client.GetService<IChatClient>());
        Assert.Null(omni.Client.GetService<MultimodalModel>("key"));
        Assert.Null(omni.Client.GetService<string>());
    }

    // What a generator writes; the sample's and the native program's classes are its own.
    private sealed class Generated(MultimodalModel model) : IGeneratedModel
    {
        public MultimodalModel MultimodalModel => model;

        public void Dispose()
        {
        }
    }

    private async Task<List<ChatResponseUpdate>> Updates(IEnumerable<Ai.ChatMessage> messages)
    {
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in omni.Client.GetStreamingResponseAsync(messages))
        {
            updates.Add(update);
        }

        return updates;
    }

    [Fact]
    public async Task An_answer_is_held_to_the_format_that_is_asked_for()
    {
        var response = await omni.Client.GetResponseAsync<Digits>("Quote a verse.");

        Assert.InRange(response.Result.Count, -999_999_999_999_999, 999_999_999_999_999);
        Assert.Contains(response.Result.Kind, Enum.GetValues<DigitKind>());
        using var any = System.Text.Json.JsonDocument.Parse((await omni.Client.GetResponseAsync("Quote a verse.", new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema<bool>() })).Text);
    }

    [Fact]
    public async Task What_was_evaluated_before_is_in_the_usage()
    {
        var first = await omni.Client.GetResponseAsync("Quote a verse of the third book.");
        var second = await omni.Client.GetResponseAsync("Quote a verse of the third book.");

        Assert.Equal(first.Text, second.Text);
        Assert.Equal(second.Usage!.InputTokenCount - 1, second.Usage.CachedInputTokenCount);
    }

    private sealed record Digits(long Count, DigitKind Kind);

    [System.Text.Json.Serialization.JsonConverter(typeof(System.Text.Json.Serialization.JsonStringEnumConverter<DigitKind>))]
    private enum DigitKind
    {
        Spoken,
        Written,
    }
}
