using System.Text.Json;
using Microsoft.Extensions.AI;

namespace MASQuant.Server;

/// <summary>An answer of a chat client in the words of OpenAI's endpoint.</summary>
internal sealed class CompletionWriter(ChatResponseUpdate first, string modelId)
{
    private readonly string _id = $"chatcmpl-{first.ResponseId}";
    private readonly long _created = (first.CreatedAt ?? TimeProvider.System.GetUtcNow()).ToUnixTimeSeconds();
    private int _calls;

    /// <summary>The piece that a stream begins with.</summary>
    public WireCompletion Begin() => Piece(new WireMessage("assistant", null, "", null), null);

    /// <summary>What an update adds; null: nothing.</summary>
    public WireCompletion? Piece(ChatResponseUpdate update)
    {
        var calls = Calls(update.Contents, counted: true);
        var thought = Thought(update.Contents);
        return update.Text.Length == 0 && thought is null && calls is null && update.FinishReason is null ? null
            : Piece(new WireMessage(null, thought, update.Text.Length > 0 ? update.Text : null, calls), update.FinishReason?.Value);
    }

    /// <summary>The piece that says what the answer took.</summary>
    public WireCompletion Usage(UsageDetails usage) => Completion("chat.completion.chunk", [], Of(usage));

    /// <summary>A whole answer.</summary>
    public WireCompletion Whole(ChatResponse response)
    {
        AIContent[] contents = [.. response.Messages.SelectMany(message => message.Contents)];
        return Completion("chat.completion", [new WireChoice(0, new WireMessage("assistant", Thought(contents), response.Text, Calls(contents, counted: false)), null, response.FinishReason?.Value)], response.Usage is { } usage ? Of(usage) : null);
    }

    private WireCompletion Piece(WireMessage delta, string? reason) => Completion("chat.completion.chunk", [new WireChoice(0, null, delta, reason)], null);

    private WireCompletion Completion(string kind, WireChoice[] choices, WireUsage? usage) => new(_id, kind, _created, modelId, choices, usage);

    private static string? Thought(IEnumerable<AIContent> contents) => string.Concat(contents.OfType<TextReasoningContent>().Select(content => content.Text)) is { Length: > 0 } thought ? thought : null;

    private WireCall[]? Calls(IEnumerable<AIContent> contents, bool counted)
    {
        WireCall[] calls = [.. contents.OfType<FunctionCallContent>().Select(call => new WireCall(counted ? _calls++ : null, call.CallId, "function", new WireFunction(call.Name, Arguments(call))))];
        return calls.Length > 0 ? calls : null;
    }

    private static string Arguments(FunctionCallContent call) => JsonSerializer.Serialize(call.Arguments ?? new Dictionary<string, object?>(), AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>)));

    private static WireUsage Of(UsageDetails usage)
        => new(usage.InputTokenCount ?? 0, usage.OutputTokenCount ?? 0, usage.TotalTokenCount ?? 0, new WirePromptDetails(usage.CachedInputTokenCount ?? 0));
}
