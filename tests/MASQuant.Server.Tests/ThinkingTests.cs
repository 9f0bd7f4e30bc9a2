using System.Text.Json;
using MASQuant.Tests;
using Microsoft.Extensions.AI;

namespace MASQuant.Server.Tests;

/// <summary>A model that thinks, over the wire: asked as servers of open models are, and understood by the official client's adapter.</summary>
public sealed class ThinkingTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private Served _served = null!;

    public async Task InitializeAsync() => _served = await Served.StartAsync(ThinkingCheckpoint.Write(_folder.File("thinking"), ["I look", " at it", "</think>", ThinkingCheckpoint.Closed], ["No", "on."]));

    public async Task DisposeAsync()
    {
        await _served.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(", \"reasoning_effort\": \"none\"", false)]
    [InlineData(", \"reasoning_effort\": \"minimal\"", true)]
    [InlineData(", \"reasoning_effort\": \"xhigh\"", true)]
    [InlineData(", \"chat_template_kwargs\": {\"enable_thinking\": true}", true)]
    [InlineData(", \"chat_template_kwargs\": {\"enable_thinking\": false}", false)]
    [InlineData(", \"chat_template_kwargs\": {}", false)]
    [InlineData(", \"chat_template_kwargs\": {\"enable_thinking\": null}, \"reasoning_effort\": \"high\"", true)]
    [InlineData(", \"chat_template_kwargs\": {\"enable_thinking\": true}, \"reasoning_effort\": \"high\"", true)]
    public async Task It_thinks_where_it_is_told_to(string member, bool thinks)
    {
        using var whole = await _served.Post($$"""{"model": "Thinking", "messages": [{"role": "user", "content": "Now?"}]{{member}}}""");
        using var document = JsonDocument.Parse(await whole.Content.ReadAsStringAsync());
        var message = document.RootElement.GetProperty("choices")[0].GetProperty("message");
        Assert.Equal(thinks, message.TryGetProperty("reasoning_content", out var thought));
        Assert.Equal((thinks ? "I look at it" : null, "Noon."), (thinks ? thought.GetString() : null, message.GetProperty("content").GetString()));

        using var streamed = await _served.Post($$"""{"model": "Thinking", "stream": true, "messages": [{"role": "user", "content": "Now?"}]{{member}}}""");
        var deltas = (await streamed.Content.ReadAsStringAsync()).Split('\n').Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => JsonDocument.Parse(line["data: ".Length..]).RootElement.GetProperty("choices")[0].GetProperty("delta")).ToArray();
        Assert.Equal(thinks ? ["I look", " at it"] : [], Texts(deltas, "reasoning_content"));
        Assert.Equal(["", "No", "on."], Texts(deltas, "content"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_official_client_is_told_what_was_thought(bool streamed)
    {
        var options = new ChatOptions { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.Medium } };
        var response = streamed ? await _served.Chat().GetStreamingResponseAsync("Now?", options).ToChatResponseAsync() : await _served.Chat().GetResponseAsync("Now?", options);
        Assert.Equal("Noon.", response.Text);
        Assert.Equal("I look at it", string.Concat(response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>().Select(content => content.Text)));
    }

    [Fact]
    public async Task What_was_thought_before_may_be_sent_along()
    {
        const string Question = "{\"role\": \"user\", \"content\": \"And now?\"}";
        const string Result = "{\"role\": \"tool\", \"tool_call_id\": \"1\", \"content\": \"12:00\"}";
        Assert.Equal(await Tokens("", Question), await Tokens(", \"reasoning_content\": \"I look at it\"", Question));
        Assert.InRange(await Tokens(", \"reasoning_content\": \"I look at it\"", Result), await Tokens("", Result) + 1, int.MaxValue);

        async Task<int> Tokens(string member, string last)
        {
            using var response = await _served.Post($$"""{"model": "Thinking", "messages": [{"role": "user", "content": "Now?"}, {"role": "assistant", "content": "Noon."{{member}}}, {{last}}]}""");
            using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
            return document.RootElement.GetProperty("usage").GetProperty("prompt_tokens").GetInt32();
        }
    }

    [SkippableFact]
    public async Task A_trained_model_thinks_as_it_does_itself()
    {
        await using var served = await Served.StartAsync(ThinkingCheckpoint.WriteTrained(_folder.File("trained")));
        var thought = string.Concat(served.Model.GeneratePieces(new Prompt().Text("Read the digits."), new GenerationOptions { Thinks = true, MaxTokens = 12 }).Select(piece => piece.Thought));
        using var response = await served.Post("{\"model\": \"Trained\", \"max_tokens\": 12, \"messages\": [{\"role\": \"user\", \"content\": \"Read the digits.\"}], \"chat_template_kwargs\": {\"enable_thinking\": true}}");
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(thought, document.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("reasoning_content").GetString());
    }

    private static IEnumerable<string?> Texts(IEnumerable<JsonElement> deltas, string member) => deltas.Where(delta => delta.TryGetProperty(member, out _)).Select(delta => delta.GetProperty(member).GetString());
}
