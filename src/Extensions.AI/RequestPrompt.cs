using MASQuant.Diagnostics;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI;

/// <summary>The messages of a request as a prompt. Names of authors and ids of messages have no place in it.</summary>
internal static class RequestPrompt
{
    /// <summary>Writes a prompt.</summary>
    /// <param name="messages">System messages first, joined by an empty line; the last is the user's, or a result.</param>
    /// <param name="instructions">What comes before the system messages; null: nothing.</param>
    /// <param name="signatures">The functions that are offered.</param>
    /// <param name="options">What may be read.</param>
    /// <exception cref="MASQuantException">MASQ0941: a message that has no place there.</exception>
    public static Prompt Of(IEnumerable<Ai.ChatMessage> messages, string? instructions, IReadOnlyList<string> signatures, ModelChatOptions options)
    {
        Ai.ChatMessage[] all = [.. messages];
        Ai.ChatMessage[] system = [.. all.TakeWhile(message => message.Role == Ai.ChatRole.System)];
        var turns = all[system.Length..];
        if (turns is not [.., { } last] || (last.Role != Ai.ChatRole.User && last.Role != Ai.ChatRole.Tool))
        {
            throw NotSupported("The conversation does not end with a message of the user, or a function's result", "Add one");
        }

        var prompt = new Prompt();
        string[] texts = [.. instructions is null ? [] : new[] { instructions }, .. system.Select(message => TextOf(message, message.Contents))];
        if (texts.Length > 0)
        {
            prompt.System(string.Join("\n\n", texts));
        }

        if (signatures.Count > 0)
        {
            prompt.Tools(signatures);
        }

        foreach (var turn in turns)
        {
            Add(prompt, turn, options);
        }

        return prompt;
    }

    private static void Add(Prompt prompt, Ai.ChatMessage message, ModelChatOptions options)
    {
        if (message.Role == Ai.ChatRole.Assistant)
        {
            Answer(prompt, message);
            return;
        }

        if (message.Role == Ai.ChatRole.Tool)
        {
            foreach (var content in message.Contents)
            {
                prompt.ToolResult(content is FunctionResultContent result ? RequestTools.Result(result) : throw Unexpected(message, content, "It may hold FunctionResultContent alone"));
            }

            return;
        }

        if (message.Role != Ai.ChatRole.User)
        {
            throw message.Role == Ai.ChatRole.System
                ? NotSupported("A system message follows other messages", "Put it first")
                : NotSupported($"A message has the role '{message.Role}'", "Roles are system, user, assistant and tool");
        }

        prompt.User();
        foreach (var content in message.Contents)
        {
            Add(prompt, content, options);
        }
    }

    private static void Add(Prompt prompt, AIContent content, ModelChatOptions options)
    {
        switch (content)
        {
            case TextContent text:
                prompt.Text(text.Text);
                break;
            case DataContent data when data.HasTopLevelMediaType("image"):
                prompt.Image(data.Data);
                break;
            case DataContent data when data.HasTopLevelMediaType("audio"):
                prompt.Audio(data.Data);
                break;
            case UriContent { Uri.Scheme: "data" } uri:
                Add(prompt, new DataContent(uri.Uri, uri.MediaType), options);
                break;
            case UriContent uri when uri.HasTopLevelMediaType("image"):
                prompt.Image(PathOf(uri.Uri, options));
                break;
            case UriContent uri when uri.HasTopLevelMediaType("audio"):
                prompt.Audio(PathOf(uri.Uri, options));
                break;
            case DataContent { MediaType: var type }:
                throw MediaType(type);
            case UriContent { MediaType: var type }:
                throw MediaType(type);
            default:
                throw NotSupported($"A message of the user holds {content.GetType().Name}", "Give TextContent, DataContent or UriContent");
        }
    }

    // What an answer took has no place in a prompt. Its calls follow its text.
    private static void Answer(Prompt prompt, Ai.ChatMessage message)
    {
        var thought = string.Concat(message.Contents.OfType<TextReasoningContent>().Select(content => content.Text));
        AIContent[] contents = [.. message.Contents.Where(content => content is not (TextReasoningContent or UsageContent))];
        FunctionCallContent[] calls = [.. contents.OfType<FunctionCallContent>()];
        prompt.Assistant(TextOf(message, contents.Except(calls)), thought.Length > 0 ? thought : null);
        foreach (var call in calls)
        {
            prompt.ToolCall(call.Name, RequestTools.Arguments(call));
        }
    }

    private static string TextOf(Ai.ChatMessage message, IEnumerable<AIContent> contents)
        => string.Concat(contents.Select(content => content is TextContent text ? text.Text : throw Unexpected(message, content, "It may hold text alone")));

    private static string PathOf(Uri uri, ModelChatOptions options)
    {
        if (!uri.IsAbsoluteUri || !uri.IsFile || uri.IsUnc || uri.Host.Length > 0)
        {
            throw NotSupported($"A medium is named by the address '{uri}', and nothing is fetched", "Fetch it, and give its bytes as DataContent");
        }

        return options.ReadsFiles ? uri.LocalPath : throw NotSupported($"A medium is named by the file '{uri}', and this client reads none", "Give its bytes as DataContent, or set ModelChatOptions.ReadsFiles where requests may choose files");
    }

    private static MASQuantException Unexpected(Ai.ChatMessage message, AIContent content, string remedy) => NotSupported($"A message of the role '{message.Role}' holds {content.GetType().Name}", remedy);

    private static MASQuantException MediaType(string type) => NotSupported($"A medium is of the type '{type}'", "Give images (PNG, JPEG) or audio (WAV)");

    private static MASQuantException NotSupported(string what, string remedy) => new(DiagnosticCodes.ChatMessageNotSupported, null, $"{what}. {remedy}.");
}
