using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace MASQuant.Server;

/// <summary>Writes a response: one JSON document, or events.</summary>
internal static class WireResponse
{
    private const string EventStream = "text/event-stream";

    /// <summary>Writes all of a response.</summary>
    public static async Task WriteAsync<T>(HttpResponse response, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        response.ContentType = "application/json";
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, type);
        response.ContentLength = bytes.Length;
        await response.Body.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The response is a stream of events from here on.</summary>
    public static void BeginEvents(HttpResponse response)
    {
        response.ContentType = EventStream;
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no"; // Proxies pass each event on as it comes.
    }

    /// <summary>Writes an event.</summary>
    public static Task WriteEventAsync<T>(HttpResponse response, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken) => WriteEventAsync(response, JsonSerializer.Serialize(value, type), cancellationToken);

    /// <summary>Ends a stream of events.</summary>
    public static Task EndEventsAsync(HttpResponse response, CancellationToken cancellationToken) => WriteEventAsync(response, "[DONE]", cancellationToken);

    /// <summary>Writes a refusal, or, where events have begun, an event that says it.</summary>
    public static Task WriteErrorAsync(HttpResponse response, ApiException error, CancellationToken cancellationToken)
    {
        var body = new WireError(new WireErrorBody(error.Message, error.Type, error.Parameter, error.Code));
        if (response.HasStarted)
        {
            return response.ContentType == EventStream ? WriteEventAsync(response, body, WireJson.Default.WireError, cancellationToken) : Task.CompletedTask;
        }

        response.Clear();
        response.StatusCode = error.Status;
        if (error.Status == StatusCodes.Status429TooManyRequests)
        {
            response.Headers.RetryAfter = "1"; // Seconds. Answers take about as long, and nothing here knows better.
        }
        else if (error.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        return WriteAsync(response, body, WireJson.Default.WireError, cancellationToken);
    }

    private static async Task WriteEventAsync(HttpResponse response, string data, CancellationToken cancellationToken)
    {
        await response.WriteAsync($"data: {data}\n\n", cancellationToken).ConfigureAwait(false);
        await response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
    }
}
