using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MASQuant.Server;

/// <summary>What is around every request: who may ask, what a failure becomes, how it is counted.</summary>
internal sealed class RequestFrame(ServerOptions options, ServerMetrics metrics, ILogger logger)
{
    private const int ClientLeft = 499;

    private readonly ApiKeys _keys = new(options.Keys);

    /// <summary>Which key a request gave; -1: none.</summary>
    public static int KeyOf(HttpContext context) => (int)context.Items[typeof(ApiKeys)]!;

    /// <summary>Runs the rest.</summary>
    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        var start = Stopwatch.GetTimestamp();
        var status = ClientLeft;
        try
        {
            RequireHost(context.Request);
            RequireKey(context);
            await next(context).ConfigureAwait(false);
            status = context.Response.StatusCode;
            if (!context.Response.HasStarted && status is StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed)
            {
                await WireResponse.WriteErrorAsync(context.Response, new ApiException(status, ApiException.InvalidRequest, "There is no such endpoint; docs/server.md lists them.", "unknown_url"), context.RequestAborted).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (!context.RequestAborted.IsCancellationRequested)
        {
            var told = ApiException.Of(error);
            status = told.Status;
            if (status == StatusCodes.Status500InternalServerError)
            {
                Messages.Failed(logger, error);
            }

            await WireResponse.WriteErrorAsync(context.Response, told, context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // Whatever ends an answer whose client has left; nobody is there to be told.
        }
        finally
        {
            if (context.Request.Path.StartsWithSegments("/v1/chat"))
            {
                metrics.Ended(status, Stopwatch.GetElapsedTime(start));
            }
        }
    }

    // A page of another site that has its name resolved to this machine would be asked by the browser as its own.
    private void RequireHost(HttpRequest request)
    {
        if (!_keys.AreSet && options.IsLoopback && !(request.Host.Host == "localhost" || (IPAddress.TryParse(request.Host.Host, out var address) && IPAddress.IsLoopback(address))))
        {
            throw new ApiException(StatusCodes.Status403Forbidden, ApiException.InvalidRequest, "Without keys this server answers requests to localhost or a loopback address alone.", "unknown_host");
        }
    }

    private void RequireKey(HttpContext context)
    {
        var key = _keys.IndexOf(context.Request.Headers.Authorization);
        context.Items[typeof(ApiKeys)] = key;
        if (_keys.AreSet && key < 0 && !context.Request.Path.StartsWithSegments("/health") && !ModelPage.Has(context.Request.Path))
        {
            throw new ApiException(StatusCodes.Status401Unauthorized, ApiException.InvalidRequest, "The request has no key that this server knows. Send one: 'Authorization: Bearer KEY'.", "invalid_api_key");
        }
    }
}
