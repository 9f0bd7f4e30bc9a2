using MASQuant.Runtime;
using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>A model calls a function, gets its result and answers by it.</summary>
public sealed class ToolRoundTripTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly MultimodalModel _model;
    private readonly List<string> _cities = [];
    private readonly ChatOptions _options;

    public ToolRoundTripTests()
    {
        _model = MultimodalModel.Load(CallingCheckpoint.Write(_folder.File("calling"), LineEnd()));
        _options = new ChatOptions
        {
            Tools = [AIFunctionFactory.Create((string city) =>
            {
                _cities.Add(city);
                return -3;
            }, "get_weather", "The weather of a city.")],
        };
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_call_is_content_and_no_text()
    {
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in _model.AsChatClient().GetStreamingResponseAsync("How warm is it?", _options))
        {
            updates.Add(update);
        }

        Assert.Equal(CallingCheckpoint.Text, string.Concat(updates.Select(update => update.Text)));
        var call = Assert.Single(updates.SelectMany(update => update.Contents).OfType<FunctionCallContent>());
        Assert.Equal(("get_weather", CallingCheckpoint.City), (call.Name, call.Arguments!["city"]!.ToString()));
        Assert.Equal(ChatFinishReason.ToolCalls, updates[^1].FinishReason);
        Assert.Equal(5, Assert.Single(updates.SelectMany(update => update.Contents).OfType<UsageContent>()).Details.OutputTokenCount);
        Assert.Empty(_cities);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Functions_are_invoked_and_their_results_answered_by(bool streamed)
    {
        using var client = _model.AsChatClient().AsBuilder().UseFunctionInvocation().Build();
        var response = streamed ? await client.GetStreamingResponseAsync("How warm is it?", _options).ToChatResponseAsync() : await client.GetResponseAsync("How warm is it?", _options);
        Assert.Equal([CallingCheckpoint.City], _cities);
        Assert.Equal([Ai.ChatRole.Assistant, Ai.ChatRole.Tool, Ai.ChatRole.Assistant], response.Messages.Select(message => message.Role));
        Assert.Equal(CallingCheckpoint.Text, response.Messages[0].Text);
        Assert.Equal("-3", Assert.IsType<FunctionResultContent>(Assert.Single(response.Messages[1].Contents)).Result!.ToString());
        Assert.Equal((CallingCheckpoint.Answer, ChatFinishReason.Stop), (response.Messages[2].Text, response.FinishReason));
    }

    [Fact]
    public async Task Calls_of_tags_are_invoked_too()
    {
        using var model = MultimodalModel.Load(CallingCheckpoint.Write(_folder.File("tags"), LineEnd(), tags: true));
        using var client = model.AsChatClient().AsBuilder().UseFunctionInvocation().Build();
        var response = await client.GetResponseAsync("How warm is it?", _options);
        Assert.Equal([CallingCheckpoint.City], _cities);
        Assert.Equal(CallingCheckpoint.Answer, response.Messages[^1].Text);
    }

    [Fact]
    public async Task Without_functions_an_answer_is_text()
    {
        var client = _model.AsChatClient();
        foreach (var options in (ChatOptions?[])[null, new ChatOptions { Tools = _options.Tools, ToolMode = ChatToolMode.None }])
        {
            var response = await client.GetResponseAsync("How warm is it?", options);
            Assert.Equal(string.Concat(_model.Generate(new Prompt().Text("How warm is it?"))), response.Text);
            Assert.Contains("<tool_call>", response.Text, StringComparison.Ordinal);
            Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        }
    }

    [Fact]
    public async Task A_call_that_is_cut_off_stays_text()
    {
        var response = await _model.AsChatClient().GetResponseAsync("How warm is it?", new ChatOptions { Tools = _options.Tools, MaxOutputTokens = 2 });
        Assert.Equal((CallingCheckpoint.Text + "\n<tool_call>", ChatFinishReason.Length), (response.Text, response.FinishReason));
    }

    // The last token of every prompt.
    private static int LineEnd()
    {
        using var model = Engine.Execution.LoadedModel.Load(RepositoryFiles.VlTiny);
        return model.Tokenizer.Encode("assistant\n")[^1];
    }
}
