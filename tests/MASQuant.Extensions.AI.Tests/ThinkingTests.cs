using MASQuant.Diagnostics;
using MASQuant.Runtime;
using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>What a model thinks is <see cref="TextReasoningContent"/>, beside an answer that is without it.</summary>
public sealed class ThinkingTests : IDisposable
{
    private static readonly ChatOptions Thinking = new() { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.Low } };
    private readonly TemporaryDirectory _folder = new();
    private readonly MultimodalModel _model;

    public ThinkingTests() => _model = MultimodalModel.Load(ThinkingCheckpoint.Write(_folder.File("model"), ["I look", " at it", "</think>", ThinkingCheckpoint.Closed], ["No", "on."]));

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Thought_streams_before_the_answer()
    {
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in _model.AsChatClient().GetStreamingResponseAsync("Now?", Thinking))
        {
            updates.Add(update);
        }

        Assert.Equal(["I look", " at it"], updates.SelectMany(update => update.Contents).OfType<TextReasoningContent>().Select(content => content.Text));
        Assert.Equal(["No", "on."], updates.Select(update => update.Text).Where(text => text.Length > 0));
        Assert.Equal((ChatFinishReason.Stop, 7), (updates[^1].FinishReason, Assert.Single(updates.SelectMany(update => update.Contents).OfType<UsageContent>()).Details.OutputTokenCount));
    }

    [Fact]
    public async Task Whoever_asks_says_whether_it_thinks_and_whether_that_is_told()
    {
        await AssertAnswer("", null);
        await AssertAnswer("", new ChatOptions { Reasoning = new ReasoningOptions() });
        await AssertAnswer("", new ChatOptions { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.None } });
        await AssertAnswer("", new ChatOptions { RawRepresentationFactory = _ => new GenerationOptions { Thinks = true }, Reasoning = new ReasoningOptions { Effort = ReasoningEffort.None } });
        foreach (var effort in (ReasoningEffort[])[ReasoningEffort.Low, ReasoningEffort.Medium, ReasoningEffort.High, ReasoningEffort.ExtraHigh])
        {
            await AssertAnswer("I look at it", new ChatOptions { Reasoning = new ReasoningOptions { Effort = effort, Output = ReasoningOutput.Full } });
        }

        await AssertAnswer("I look at it", new ChatOptions { RawRepresentationFactory = _ => new GenerationOptions { Thinks = true }, Reasoning = new ReasoningOptions { Output = ReasoningOutput.Full } });
        var untold = await AssertAnswer("", new ChatOptions { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.High, Output = ReasoningOutput.None } });
        Assert.Equal(7, untold.Usage!.OutputTokenCount);
    }

    // A conversation with what was thought is the one without, once another question follows.
    [Fact]
    public async Task Thought_is_left_out_behind_the_next_question()
    {
        var client = _model.AsChatClient();
        var first = await client.GetResponseAsync("Now?", Thinking);
        Assert.NotEmpty(first.Messages[0].Contents.OfType<TextReasoningContent>());
        var next = await client.GetResponseAsync([new(Ai.ChatRole.User, "Now?"), .. first.Messages, new(Ai.ChatRole.User, "And now?")], Thinking);
        var expected = _model.GeneratePieces(new Prompt().Text("Now?").Assistant("Noon.").Text("And now?"), new GenerationOptions { Thinks = true }).Last();
        Assert.Equal(expected.Usage!.Value.PromptTokens, next.Usage!.InputTokenCount);
    }

    // All of the first answer is there when its function's result comes.
    [Fact]
    public async Task Thought_stays_until_the_question_is_answered()
    {
        var options = new ChatOptions { Reasoning = Thinking.Reasoning, Tools = [AIFunctionFactory.CreateDeclaration("now", null, System.Text.Json.JsonSerializer.SerializeToElement(new { type = "object" }))] };
        using var model = MultimodalModel.Load(ThinkingCheckpoint.Write(_folder.File("calling"), ["I look\n", "</think>", ThinkingCheckpoint.Closed], ["<tool_call>", "\n<function=now>\n</function>\n", "</tool_call>"]));
        var first = await model.AsChatClient().GetResponseAsync("Now?", options);
        Assert.Equal(ChatFinishReason.ToolCalls, first.FinishReason);
        var next = await model.AsChatClient().GetResponseAsync([new(Ai.ChatRole.User, "Now?"), .. first.Messages, new(Ai.ChatRole.Tool, [new FunctionResultContent(first.Messages[0].Contents.OfType<FunctionCallContent>().Single().CallId, "12:00")])], options);
        Assert.InRange(next.Usage!.CachedInputTokenCount!.Value, first.Usage!.InputTokenCount!.Value + first.Usage.OutputTokenCount!.Value - 1, next.Usage.InputTokenCount!.Value);
    }

    [Fact]
    public async Task A_call_follows_the_thought()
    {
        using var model = MultimodalModel.Load(ThinkingCheckpoint.Write(_folder.File("calling"), ["<tool_call> I think", "</think>", ThinkingCheckpoint.Closed], ["<tool_call>", " <function=get_weather> <parameter=city>Oslo</parameter> </function>", "</tool_call>"]));
        var response = await model.AsChatClient().GetResponseAsync("How warm is it?", new ChatOptions { Reasoning = Thinking.Reasoning, Tools = [AIFunctionFactory.Create((string city) => -3, "get_weather")] });
        Assert.Equal("<tool_call> I think", Assert.Single(response.Messages[0].Contents.OfType<TextReasoningContent>()).Text);
        Assert.Equal("Oslo", Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>()).Arguments!["city"]!.ToString());
        Assert.Equal((ChatFinishReason.ToolCalls, ""), (response.FinishReason, response.Text));
    }

    [Fact]
    public async Task A_thought_that_never_ends_is_cut_off()
    {
        using var model = MultimodalModel.Load(ThinkingCheckpoint.Write(_folder.File("endless"), ["Hm. "], ["Noon."]));
        var response = await model.AsChatClient().GetResponseAsync("Now?", new ChatOptions { Reasoning = Thinking.Reasoning, MaxOutputTokens = 3 });
        Assert.Equal((ChatFinishReason.Length, "", "Hm. Hm. Hm."), (response.FinishReason, response.Text, Thought(response)));
    }

    [Fact]
    public async Task A_model_without_thoughts_refuses()
    {
        using var model = MultimodalModel.Load(RepositoryFiles.VlTiny);
        var error = await Assert.ThrowsAsync<MASQuantException>(() => model.AsChatClient().GetResponseAsync("Now?", Thinking));
        Assert.Equal(DiagnosticCodes.ThoughtUnsupported, error.Code);
    }

    [Fact]
    public void An_input_may_end_within_a_thought()
    {
        var input = _model.Prepare(new Prompt().Text("Now?"), thinks: true);
        Assert.Equal("I look at it", string.Concat(_model.GenerateFrom(input).Select(piece => piece.Thought)));
        var closed = _model.Prepare(new Prompt().Text("Now?"));
        Assert.Equal(DiagnosticCodes.ThoughtUnsupported, Assert.Throws<MASQuantException>(() => _model.GenerateFrom(closed, new GenerationOptions { Thinks = true })).Code);
    }

    [SkippableFact]
    public async Task A_trained_model_thinks_as_it_does_itself()
    {
        using var model = MultimodalModel.Load(ThinkingCheckpoint.WriteTrained(_folder.File("trained")));
        var pieces = model.GeneratePieces(new Prompt().Text("Read the digits."), new GenerationOptions { Thinks = true, MaxTokens = 12 }).ToArray();
        var response = await model.AsChatClient().GetResponseAsync("Read the digits.", new ChatOptions { Reasoning = Thinking.Reasoning, MaxOutputTokens = 12 });
        Assert.Equal((string.Concat(pieces.Select(piece => piece.Thought)), string.Concat(pieces.Select(piece => piece.Text))), (Thought(response), response.Text));
        Assert.NotEmpty(Thought(response));
    }

    private async Task<ChatResponse> AssertAnswer(string thought, ChatOptions? options)
    {
        var response = await _model.AsChatClient().GetResponseAsync("Now?", options);
        Assert.Equal((thought, "Noon."), (Thought(response), response.Text));
        return response;
    }

    private static string Thought(ChatResponse response) => string.Concat(response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>().Select(content => content.Text));
}
