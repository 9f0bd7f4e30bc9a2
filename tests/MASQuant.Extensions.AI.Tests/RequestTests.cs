using System.Text.Json;
using MASQuant.Diagnostics;
using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>What a request may hold: every option reaches the model, and what cannot be honoured is refused by name.</summary>
public class RequestTests(OmniClient omni) : IClassFixture<OmniClient>
{
    private const string Question = "Quote a verse.";

    private static AIFunction Function => AIFunctionFactory.Create(() => "now", "now");

    [Fact]
    public void Every_option_of_generation_is_read()
    {
        var options = new ChatOptions
        {
            MaxOutputTokens = 7,
            Temperature = 0.7f,
            TopP = 0.9f,
            TopK = 11,
            Seed = -3,
            PresencePenalty = 0.1f,
            FrequencyPenalty = 0.2f,
            StopSequences = ["a", "b"],
            ModelId = "OmniTiny",
            ResponseFormat = ChatResponseFormat.Text,
            AdditionalProperties = new() { ["min_p"] = 0.05f, ["repetition_penalty"] = JsonDocument.Parse("1.1").RootElement },
        };
        var read = Read(options);
        Assert.Equal(["a", "b"], read.StopStrings);
        Assert.Equal(
            new GenerationOptions { MaxTokens = 7, Temperature = 0.7, TopP = 0.9, TopK = 11, Seed = ulong.MaxValue - 2, PresencePenalty = 0.1, FrequencyPenalty = 0.2, MinP = 0.05, RepetitionPenalty = 1.1, StopStrings = read.StopStrings },
            read);
    }

    [Fact]
    public void What_a_request_leaves_unset_is_as_the_model_or_its_own_options_say()
    {
        var defaults = new GenerationOptions { Temperature = 0.3, TopK = 5, MaxTokens = 9 };
        Assert.Same(defaults, RequestOptions.Read(null, defaults, omni.Client, "OmniTiny"));
        Assert.Equal(defaults with { TopP = 0.5 }, RequestOptions.Read(new ChatOptions { TopP = 0.5f }, defaults, omni.Client, "OmniTiny"));
        var raw = new GenerationOptions { MinP = 0.2, StopTokens = [5], TopP = 0.5 };
        Assert.Equal(raw with { TopP = 0.25 }, RequestOptions.Read(new ChatOptions { RawRepresentationFactory = _ => raw, TopP = 0.25f }, defaults, omni.Client, "OmniTiny"));
    }

    [Fact]
    public async Task Options_reach_the_model()
    {
        var sampled = new ChatOptions { Temperature = 1.5f, Seed = 12, MaxOutputTokens = 12 };
        Assert.Equal(omni.Answer(new Prompt().Text(Question), new GenerationOptions { Temperature = 1.5, Seed = 12, MaxTokens = 12 }), (await omni.Client.GetResponseAsync(Question, sampled)).Text);
        var whole = omni.Answer(new Prompt().Text(Question));
        var stopped = await omni.Client.GetResponseAsync(Question, new ChatOptions { StopSequences = [whole[3..5]] });
        Assert.Equal((whole[..whole.IndexOf(whole[3..5], StringComparison.Ordinal)], ChatFinishReason.Stop), (stopped.Text, stopped.FinishReason));
    }

    [Fact]
    public async Task A_value_out_of_range_is_refused()
        => Assert.Equal(DiagnosticCodes.GenerationOptionOutOfRange, (await Assert.ThrowsAsync<MASQuantException>(() => omni.Client.GetResponseAsync(Question, new ChatOptions { TopP = 2 }))).Code);

    public static TheoryData<string, ChatOptions> Unsupported => new()
    {
        { "'gpt'", new ChatOptions { ModelId = "gpt" } },
        { "ConversationId", new ChatOptions { ConversationId = "1" } },
        { "ResponseFormat", new ChatOptions { ResponseFormat = ChatResponseFormat.Json, Tools = [AIFunctionFactory.Create(() => 1, "one")] } },
        { "Reasoning", new ChatOptions { Reasoning = new ReasoningOptions { Output = ReasoningOutput.Summary } } },
        { "'top_a'", new ChatOptions { AdditionalProperties = new() { ["top_a"] = 1 } } },
        { "'min_p'", new ChatOptions { AdditionalProperties = new() { ["min_p"] = "much" } } },
        { "ToolMode", new ChatOptions { Tools = [Function], ToolMode = ChatToolMode.RequireAny } },
        { "AllowMultipleToolCalls", new ChatOptions { Tools = [Function], AllowMultipleToolCalls = false } },
        { "HostedWebSearchTool", new ChatOptions { Tools = [Function, new HostedWebSearchTool()] } },
        { "String", new ChatOptions { RawRepresentationFactory = _ => "raw" } },
    };

    [Theory]
    [MemberData(nameof(Unsupported), DisableDiscoveryEnumeration = true)]
    public async Task What_cannot_be_honoured_is_refused_by_name(string name, ChatOptions options)
    {
        var error = await Assert.ThrowsAsync<MASQuantException>(() => omni.Client.GetResponseAsync(Question, options));
        Assert.Equal(DiagnosticCodes.ChatOptionNotSupported, error.Code);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    /// <summary>A member that a later version adds has to be read, or refused.</summary>
    [Fact]
    public void Every_member_of_the_options_is_known_here()
        => Assert.Equal(
            [
                "AdditionalProperties", "AllowBackgroundResponses", "AllowMultipleToolCalls", "ContinuationToken", "ConversationId", "FrequencyPenalty", "Instructions", "MaxOutputTokens", "ModelId", "PresencePenalty",
                "RawRepresentationFactory", "Reasoning", "ResponseFormat", "Seed", "StopSequences", "Temperature", "ToolMode", "Tools", "TopK", "TopP",
            ],
            typeof(ChatOptions).GetProperties().Select(property => property.Name).Order(StringComparer.Ordinal));

    public static TheoryData<string, Ai.ChatMessage[]> Misplaced => new()
    {
        { "end with", [] },
        { "end with", [new(Ai.ChatRole.User, "a"), new(Ai.ChatRole.Assistant, "b")] },
        { "follows", [new(Ai.ChatRole.User, "a"), new(Ai.ChatRole.System, "b"), new(Ai.ChatRole.User, "c")] },
        { "'critic'", [new(new Ai.ChatRole("critic"), "a"), new(Ai.ChatRole.User, "c")] },
        { "DataContent", [new(Ai.ChatRole.Assistant, [new DataContent(new byte[] { 1 }, "image/png")]), new(Ai.ChatRole.User, "c")] },
        { "'video/mp4'", [new(Ai.ChatRole.User, [new DataContent(new byte[] { 1 }, "video/mp4")])] },
        { "'text/html'", [new(Ai.ChatRole.User, [new UriContent("https://example.org/", "text/html")])] },
        { "https://example.org/a.png", [new(Ai.ChatRole.User, [new UriContent("https://example.org/a.png", "image/png")])] },
        { "http://localhost/a.wav", [new(Ai.ChatRole.User, [new UriContent("http://localhost/a.wav", "audio/wav")])] },
        { "file://server/a.png", [new(Ai.ChatRole.User, [new UriContent("file://server/a.png", "image/png")])] },
        { "TextContent", [new(Ai.ChatRole.User, "a"), new(Ai.ChatRole.Tool, "b")] },
        { "FunctionCallContent", [new(Ai.ChatRole.User, [new FunctionCallContent("1", "f")])] },
        { "HostedFileContent", [new(Ai.ChatRole.User, [new HostedFileContent("1")])] },
    };

    [Theory]
    [MemberData(nameof(Misplaced), DisableDiscoveryEnumeration = true)]
    public async Task What_has_no_place_in_a_prompt_is_refused_by_name(string name, Ai.ChatMessage[] messages)
    {
        using var client = omni.Model.AsChatClient(new ModelChatOptions { ReadsFiles = true });
        var error = await Assert.ThrowsAsync<MASQuantException>(() => client.GetResponseAsync(messages));
        Assert.Equal(DiagnosticCodes.ChatMessageNotSupported, error.Code);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_are_read_only_where_the_client_may()
    {
        var golden = Golden.Load("omni/image");
        Ai.ChatMessage[] messages = [new(Ai.ChatRole.User, [new UriContent(new Uri(golden.Files[0]), "image/png"), new TextContent("Read the digits.")])];
        var error = await Assert.ThrowsAsync<MASQuantException>(() => omni.Client.GetResponseAsync(messages));
        Assert.Equal(DiagnosticCodes.ChatMessageNotSupported, error.Code);
        using var client = omni.Model.AsChatClient(new ModelChatOptions { ReadsFiles = true });
        Assert.Equal(golden.GreedyText, (await client.GetResponseAsync(messages)).Text + "<|im_end|>");
    }

    [Fact]
    public async Task A_damaged_picture_is_an_error_of_that_picture()
    {
        var error = await Assert.ThrowsAsync<MASQuantException>(() => omni.Client.GetResponseAsync([new Ai.ChatMessage(Ai.ChatRole.User, [new DataContent(new byte[] { 1, 2 }, "image/png")])]));
        Assert.Equal(DiagnosticCodes.ImageNotSupported, error.Code);
    }

    private GenerationOptions Read(ChatOptions options) => RequestOptions.Read(options, new GenerationOptions(), omni.Client, "OmniTiny");
}
