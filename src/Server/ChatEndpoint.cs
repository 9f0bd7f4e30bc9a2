using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace MASQuant.Server;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatEndpoint(IChatClient client, string modelId, RequestGate gate, ServerMetrics metrics)
{
    /// <summary>Answers a request; a client that leaves ends its answer.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        var left = context.RequestAborted;
        using var place = gate.Enter(RequestFrame.KeyOf(context));

        // What a page of another site may send without asking first has another type.
        if (!context.Request.HasJsonContentType())
        {
            throw new ApiException(StatusCodes.Status415UnsupportedMediaType, ApiException.InvalidRequest, "The request's Content-Type must be application/json.", Diagnostics.DiagnosticCodes.ServedRequestNotSupported);
        }

        var request = await ChatRequestReader.ReadAsync(context.Request.Body, modelId, left).ConfigureAwait(false);
        var updates = new List<ChatResponseUpdate>();
        CompletionWriter? writer = null;
        await foreach (var update in client.GetStreamingResponseAsync(request.Messages, request.Options, left).ConfigureAwait(false))
        {
            // Until here an answer that cannot be given is refused with a status of its own.
            if (writer is null)
            {
                place.Begin();
                writer = new CompletionWriter(update, modelId);
                if (request.Stream)
                {
                    WireResponse.BeginEvents(context.Response);
                    await Event(writer.Begin()).ConfigureAwait(false);
                }
            }

            if (request.Stream)
            {
                await Event(writer.Piece(update)).ConfigureAwait(false);
                Keep(new ChatResponseUpdate { Contents = [.. update.Contents.OfType<UsageContent>()] });
            }
            else
            {
                Keep(update);
            }
        }

        var response = updates.ToChatResponse();
        if (response.Usage is { } usage)
        {
            metrics.Answered(usage);
        }

        if (!request.Stream)
        {
            await WireResponse.WriteAsync(context.Response, writer!.Whole(response), WireJson.Default.WireCompletion, left).ConfigureAwait(false);
            return;
        }

        if (request.IncludeUsage && response.Usage is { } took)
        {
            await Event(writer!.Usage(took)).ConfigureAwait(false);
        }

        await WireResponse.EndEventsAsync(context.Response, left).ConfigureAwait(false);

        void Keep(ChatResponseUpdate update)
        {
            if (update.Contents.Count > 0)
            {
                updates.Add(update);
            }
        }

        Task Event(WireCompletion? piece) => piece is null ? Task.CompletedTask : WireResponse.WriteEventAsync(context.Response, piece, WireJson.Default.WireCompletion, left);
    }
}
