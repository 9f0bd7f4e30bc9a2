using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>The library's own middleware, stacked on a model's client: each does its work, and answers stay the model's. Function invocation has <see cref="ToolRoundTripTests"/>.</summary>
public class MiddlewareTests(OmniClient omni) : IClassFixture<OmniClient>
{
    private static Ai.ChatMessage[] Messages { get; } =
        [new(Ai.ChatRole.User, [new DataContent(File.ReadAllBytes(Golden.Load("omni/image").Files[0]), "image/png"), new TextContent("Read the digits.")])];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cached_answer_is_the_same_and_takes_no_generation(bool streamed)
    {
        var name = $"cached-{streamed}";
        using var measured = new Measurements(MASQuantTelemetry.Name, name);
        var cache = new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions()));
        using var client = omni.Model.AsChatClient(new ModelChatOptions { ModelId = name }).AsBuilder().UseDistributedCache(cache).Build();
        var first = await Ask(client, streamed);
        var second = await Ask(client, streamed);
        AssertReference(first);
        AssertReference(second);
        Assert.Equal((first.ResponseId, first.Usage!.OutputTokenCount, first.FinishReason), (second.ResponseId, second.Usage!.OutputTokenCount, second.FinishReason));
        Assert.Single(measured.Spans);
        await client.GetResponseAsync(Messages, new ChatOptions { MaxOutputTokens = 1 });
        Assert.Equal(2, measured.Spans.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Logging_sees_requests_and_answers(bool streamed)
    {
        using var logs = new Logs();
        using var client = omni.Model.AsChatClient().AsBuilder().UseLogging(logs).Build();
        AssertReference(await Ask(client, streamed));
        var texts = logs.Entries.Where(entry => entry is { Level: LogLevel.Trace or LogLevel.Debug } && entry.Category.Contains("LoggingChatClient", StringComparison.Ordinal)).Select(entry => entry.Text).ToArray();
        Assert.Contains(texts, text => text.Contains("Read the digits.", StringComparison.Ordinal) && text.Contains("OmniTiny", StringComparison.Ordinal)); // its metadata too
        Assert.Contains(texts, text => text.Contains("\"stop\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OpenTelemetry_sees_provider_model_and_usage(bool streamed)
    {
        var name = $"telemetry-{streamed}";
        var source = $"test-{streamed}";
        using var measured = new Measurements(source, name);
        using var own = new Measurements(MASQuantTelemetry.Name, name);
        using var client = omni.Model.AsChatClient(new ModelChatOptions { ModelId = name }).AsBuilder().UseOpenTelemetry(sourceName: source).Build();
        var response = await Ask(client, streamed);
        AssertReference(response);
        var span = Assert.Single(measured.Spans);
        Assert.Equal(($"chat {name}", "masquant", name), (span.DisplayName, span.GetTagItem("gen_ai.provider.name"), span.GetTagItem("gen_ai.response.model")));
        Assert.Equal((int)response.Usage!.InputTokenCount!, span.GetTagItem("gen_ai.usage.input_tokens"));
        Assert.Contains(measured.Values, value => value.Instrument.Name == "gen_ai.client.operation.duration");
        Assert.Equal(span.SpanId, Assert.Single(own.Spans).ParentSpanId); // generation is a part of the request
    }

    [Fact]
    public async Task All_of_them_together()
    {
        using var logs = new Logs();
        var cache = new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions()));
        using var client = omni.Model.AsChatClient().AsBuilder().UseOpenTelemetry(logs).UseLogging(logs).UseDistributedCache(cache).UseFunctionInvocation(logs).Build();
        AssertReference(await Ask(client, streamed: false));
        AssertReference(await Ask(client, streamed: true));
        Assert.Same(omni.Model, client.GetService<Runtime.MultimodalModel>());
    }

    private static Task<ChatResponse> Ask(IChatClient client, bool streamed)
        => streamed ? client.GetStreamingResponseAsync(Messages).ToChatResponseAsync() : client.GetResponseAsync(Messages);

    private static void AssertReference(ChatResponse response) => Assert.Equal(Golden.Load("omni/image").GreedyText, response.Text + "<|im_end|>");
}
