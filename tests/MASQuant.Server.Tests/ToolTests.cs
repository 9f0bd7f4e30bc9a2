using System.Text.Json;
using MASQuant.Extensions.AI;
using MASQuant.Extensions.AI.Tests;
using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Server.Tests;

/// <summary>Functions, called over the wire by a model whose answers are known.</summary>
public sealed class ToolTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private readonly List<string> _cities = [];
    private Served _served = null!;

    public async Task InitializeAsync()
    {
        int lineEnd;
        using (var model = Engine.Execution.LoadedModel.Load(RepositoryFiles.VlTiny))
        {
            lineEnd = model.Tokenizer.Encode("assistant\n")[^1];
        }

        _served = await Served.StartAsync(CallingCheckpoint.Write(_folder.File("calling"), lineEnd));
    }

    public async Task DisposeAsync()
    {
        await _served.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Functions_are_invoked_and_their_results_answered_by(bool streamed)
    {
        using var client = _served.Chat().AsBuilder().UseFunctionInvocation().Build();
        var options = new ChatOptions
        {
            Tools = [AIFunctionFactory.Create((string city) =>
            {
                _cities.Add(city);
                return -3;
            }, "get_weather", "The weather of a city.")],
        };
        var response = streamed ? await client.GetStreamingResponseAsync("How warm is it?", options).ToChatResponseAsync() : await client.GetResponseAsync("How warm is it?", options);
        Assert.Equal([CallingCheckpoint.City], _cities);
        Assert.Equal([Ai.ChatRole.Assistant, Ai.ChatRole.Tool, Ai.ChatRole.Assistant], response.Messages.Select(message => message.Role));
        Assert.Equal(CallingCheckpoint.Text, response.Messages[0].Text);
        Assert.Equal("get_weather", Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>()).Name);
        Assert.Equal((CallingCheckpoint.Answer, ChatFinishReason.Stop), (response.Messages[2].Text, response.FinishReason));
    }

    [Fact]
    public async Task Calls_and_results_have_their_place_in_the_prompt()
    {
        Ai.ChatMessage[] messages =
        [
            new(Ai.ChatRole.User, "How warm is it?"),
            new(Ai.ChatRole.Assistant, [new TextContent("I ask."), new FunctionCallContent("1", "get_weather", new Dictionary<string, object?> { ["city"] = "Llanfairpwllgwyngyll" })]),
            new(Ai.ChatRole.Tool, [new FunctionResultContent("1", "Nobody has been there, and nobody can tell.")]),
        ];
        var options = new ChatOptions { Tools = [AIFunctionFactory.CreateDeclaration("get_weather", "The weather of a city.", JsonSerializer.SerializeToElement(new { type = "object", properties = new { city = new { type = "string" } } }))] };
        var expected = await _served.Model.AsChatClient().GetResponseAsync(messages, options);

        // The official client writes schemas anew.
        using var response = await _served.Post("""
            {"model": "Calling", "messages": [{"role": "user", "content": "How warm is it?"},
             {"role": "assistant", "content": "I ask.", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Llanfairpwllgwyngyll\"}"}}]},
             {"role": "tool", "tool_call_id": "1", "content": "Nobody has been there, and nobody can tell."}],
             "tools": [{"type": "function", "function": {"name": "get_weather", "description": "The weather of a city.", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]}
            """);
        using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(expected.Text, answer.RootElement.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        Assert.Equal(expected.Usage!.InputTokenCount, answer.RootElement.GetProperty("usage").GetProperty("prompt_tokens").GetInt32()); // a text that is lost takes its tokens along
    }

    [Fact]
    public async Task The_reason_says_that_functions_are_called()
    {
        var options = new ChatOptions { Tools = [AIFunctionFactory.CreateDeclaration("get_weather", null, JsonSerializer.SerializeToElement(new { type = "object" }))] };
        Assert.Equal(ChatFinishReason.ToolCalls, (await _served.Chat().GetResponseAsync("How warm is it?", options)).FinishReason);
        options.ToolMode = ChatToolMode.None;
        Assert.Equal(ChatFinishReason.Stop, (await _served.Chat().GetResponseAsync("How warm is it?", options)).FinishReason);
    }
}
