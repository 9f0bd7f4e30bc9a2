using System.Runtime.CompilerServices;
using MASQuant.Runtime;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI;

/// <summary>A model as <see cref="IChatClient"/>: what <see cref="MultimodalModelExtensions.AsChatClient(MultimodalModel, ModelChatOptions?, ILoggerFactory?)"/> gives, and what a host has under others that are stacked on it. Requests share nothing: threads may share the client.</summary>
public sealed class MultimodalChatClient : IChatClient
{
    /// <summary>What telemetry calls this library.</summary>
    internal const string Provider = "masquant";

    private readonly MultimodalModel _model;
    private readonly ModelChatOptions _options;
    private readonly ChatClientMetadata _metadata;
    private readonly ILogger _logger;

    internal MultimodalChatClient(MultimodalModel model, ModelChatOptions options, ILoggerFactory loggers)
    {
        (_model, _options) = (model, options);
        _metadata = new ChatClientMetadata(Provider, providerUri: null, options.ModelId ?? model.Name);
        _logger = loggers.CreateLogger(MASQuantTelemetry.Name);
    }

    private string ModelId => _metadata.DefaultModelId!;

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<Ai.ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        => GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<Ai.ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var id = Guid.NewGuid().ToString("N");
        var createdAt = DateTimeOffset.UtcNow;
        using var request = new RequestObserver(_logger, ModelId, id);
        var generation = request.Run(() => RequestOptions.Read(options, _model.DefaultOptions, this, ModelId));
        request.Generates(generation);
        var signatures = request.Run(() => RequestTools.Signatures(options));
        var pieces = request.Run(() => _model.GeneratePiecesAsync(RequestPrompt.Of(messages, options?.Instructions, signatures, _options), generation, cancellationToken));
        var isTold = options?.Reasoning?.Output is not ReasoningOutput.None;
        var calls = signatures.Count > 0 ? new ToolCallReader(id, options!.Tools) : null;
        await foreach (var piece in request.Pieces(pieces, cancellationToken).ConfigureAwait(false))
        {
            var update = new ChatResponseUpdate(Ai.ChatRole.Assistant, [.. Thought(isTold ? piece.Thought : null), .. Contents(piece, calls)])
            {
                ResponseId = id,
                MessageId = id,
                CreatedAt = createdAt,
                ModelId = ModelId,
            };
            if (piece is { IsLast: true, Usage: { } usage })
            {
                var reason = ReasonOf(piece, calls);
                update.FinishReason = reason;
                update.Contents.Add(new UsageContent(Details(usage)));
                request.End(usage, reason);
            }

            if (update.Contents.Count > 0)
            {
                yield return update;
            }
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType.IsInstanceOfType(this) ? this
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType.IsInstanceOfType(_model) ? _model
            : null;
    }

    /// <summary>Nothing: the model is its owner's.</summary>
    public void Dispose()
    {
    }

    private static TextReasoningContent[] Thought(string? text) => text is null ? [] : [new TextReasoningContent(text)];

    // Without functions on offer an answer is text, whatever it spells.
    private static List<AIContent> Contents(BatchPiece piece, ToolCallReader? calls)
        => calls is not null ? [.. calls.Append(piece.Text), .. piece.IsLast ? calls.Flush() : []]
            : piece.Text.Length > 0 ? [new TextContent(piece.Text)] : [];

    private static ChatFinishReason ReasonOf(BatchPiece last, ToolCallReader? calls)
        => last.End == EndReason.Length ? ChatFinishReason.Length : calls?.Calls > 0 ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop;

    private static UsageDetails Details(AnswerUsage usage) => new()
    {
        InputTokenCount = usage.PromptTokens,
        OutputTokenCount = usage.GeneratedTokens,
        CachedInputTokenCount = usage.CachedTokens,
        TotalTokenCount = (long)usage.PromptTokens + usage.GeneratedTokens,
    };
}
