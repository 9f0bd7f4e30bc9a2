using System.Text.Json;
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
    public async Task The_reason_says_that_functions_are_called()
    {
        var options = new ChatOptions { Tools = [AIFunctionFactory.CreateDeclaration("get_weather", null, JsonSerializer.SerializeToElement(new { type = "object" }))] };
        Assert.Equal(ChatFinishReason.ToolCalls, (await _served.Chat().GetResponseAsync("How warm is it?", options)).FinishReason);
        options.ToolMode = ChatToolMode.None;
        Assert.Equal(ChatFinishReason.Stop, (await _served.Chat().GetResponseAsync("How warm is it?", options)).FinishReason);
    }
}
