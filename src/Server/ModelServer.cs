using System.Net.Sockets;
using MASQuant.Extensions.AI;
using MASQuant.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MASQuant.Server;

/// <summary>A model behind OpenAI's chat completions: <c>/v1/chat/completions</c>, <c>/v1/models</c>, <c>/health</c>, <c>/metrics</c>, and a page at <c>/</c> to talk to it. It listens from <see cref="StartAsync"/> until it is stopped or disposed; signals are its caller's.</summary>
public sealed class ModelServer : IAsyncDisposable
{
    /// <summary>Connections, each of which takes some memory before any limit of requests is asked.</summary>
    private const int MaxConnections = 1024;

    private readonly WebApplication _app;

    private ModelServer(WebApplication app) => _app = app;

    /// <summary>Where it listens, with the port that it has.</summary>
    public Uri Address => new(_app.Urls.First());

    /// <summary>Serves a model.</summary>
    /// <param name="model">Stays the caller's, who closes it after the server.</param>
    /// <param name="options">Where, to whom, and how much at once.</param>
    /// <param name="logging">Where it is logged; null: nowhere.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A server that listens.</returns>
    /// <exception cref="MASQuantException">MASQ0944, MASQ0945, MASQ0946: <see cref="ServerOptions.Validate"/>, or the address cannot be listened at.</exception>
    public static async Task<ModelServer> StartAsync(MultimodalModel model, ServerOptions options, Action<ILoggingBuilder>? logging = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var app = Build(model, options, logging);
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
            return new ModelServer(app);
        }
        catch (Exception error)
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw error is IOException or SocketException ? ServerOptions.CannotListen($"{options.Host} cannot be listened at, port {options.Port}: {error.Message}", "Give another address or port, or end what listens there", error) : error;
        }
    }

    /// <summary>Takes no more requests; answers in progress go on for <see cref="ServerOptions.StopTimeout"/> at most.</summary>
    public Task StopAsync() => _app.StopAsync(CancellationToken.None);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static WebApplication Build(MultimodalModel model, ServerOptions options, Action<ILoggingBuilder>? logging)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxRequestBytes;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Listen(options.IPAddress, options.Port);
        });
        logging?.Invoke(builder.Logging);
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(model);
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.AddHealthChecks().AddCheck<ModelHealthCheck>("model");
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.StopTimeout);
        var app = builder.Build();
        Map(app, model, options);
        return app;
    }

    private static void Map(WebApplication app, MultimodalModel model, ServerOptions options)
    {
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        var client = model.AsChatClient(loggerFactory: loggers);
        var id = client.GetService<ChatClientMetadata>()!.DefaultModelId!;
        var gate = new RequestGate(options);
        var metrics = new ServerMetrics(gate);
        var frame = new RequestFrame(options, metrics, loggers.CreateLogger("MASQuant.Server"));
        var served = new WireModel(id, "model", TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), "masquant");

        app.Use(next => context => frame.RunAsync(context, next));
        app.UseRouting();
        ModelPage.Map(app);
        app.MapPost("/v1/chat/completions", new ChatEndpoint(client, id, gate, metrics).AnswerAsync);
        app.MapGet("/v1/models", context => WireResponse.WriteAsync(context.Response, new WireModels("list", [served]), WireJson.Default.WireModels, context.RequestAborted));
        app.MapGet("/v1/models/{**id}", context => context.Request.RouteValues["id"] is string asked && asked == id
            ? WireResponse.WriteAsync(context.Response, served, WireJson.Default.WireModel, context.RequestAborted)
            : throw ChatRequestReader.UnknownModel($"{context.Request.RouteValues["id"]}", id));
        app.MapGet("/metrics", context =>
        {
            context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            return context.Response.WriteAsync(metrics.Write(), context.RequestAborted);
        });
        app.MapGet("/health", Live);
        app.MapGet("/health/live", Live);
        app.MapGet("/health/ready", context => Ready(context, app));
    }

    private static Task Live(HttpContext context) => context.Response.WriteAsync("live\n", context.RequestAborted);

    private static async Task Ready(HttpContext context, WebApplication app)
    {
        var isReady = !app.Lifetime.ApplicationStopping.IsCancellationRequested
            && (await app.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(context.RequestAborted).ConfigureAwait(false)).Status == HealthStatus.Healthy;
        context.Response.StatusCode = isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await context.Response.WriteAsync(isReady ? "ready\n" : "not ready\n", context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>Whoever runs the server tells it to stop.</summary>
    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
