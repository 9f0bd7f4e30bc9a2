using System.Runtime.CompilerServices;
using MASQuant.Runtime;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Extensions.AI;

/// <summary>A model as <see cref="IChatClient"/>. Requests share nothing: threads may share the client.</summary>
internal sealed class MultimodalChatClient(MultimodalModel model, ModelChatOptions options) : IChatClient
{
    /// <summary>What telemetry calls this library.</summary>
    internal const string Provider = "masquant";

    private readonly ChatClientMetadata _metadata = new(Provider, providerUri: null, options.ModelId ?? model.Name);

    private string ModelId => _metadata.DefaultModelId!;

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<Ai.ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        => GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<Ai.ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var generation = RequestOptions.Read(options, model.DefaultOptions, this, ModelId);
        var prompt = RequestPrompt.Of(messages, options?.Instructions, Settings);
        var id = Guid.NewGuid().ToString("N");
        var createdAt = DateTimeOffset.UtcNow;
        await foreach (var piece in model.GeneratePiecesAsync(prompt, generation, cancellationToken).ConfigureAwait(false))
        {
            var update = new ChatResponseUpdate(Ai.ChatRole.Assistant, piece.Text.Length > 0 ? [new TextContent(piece.Text)] : [])
            {
                ResponseId = id,
                MessageId = id,
                CreatedAt = createdAt,
                ModelId = ModelId,
            };
            if (piece.IsLast)
            {
                update.FinishReason = piece.End == EndReason.Length ? ChatFinishReason.Length : ChatFinishReason.Stop;
                update.Contents.Add(new UsageContent(Usage(piece.Usage!.Value)));
            }

            yield return update;
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType.IsInstanceOfType(this) ? this
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType.IsInstanceOfType(model) ? model
            : null;
    }

    /// <summary>Nothing: the model is its owner's.</summary>
    public void Dispose()
    {
    }

    private ModelChatOptions Settings { get; } = options;

    private static UsageDetails Usage(AnswerUsage usage) => new()
    {
        InputTokenCount = usage.PromptTokens,
        OutputTokenCount = usage.GeneratedTokens,
        TotalTokenCount = (long)usage.PromptTokens + usage.GeneratedTokens,
    };
}
