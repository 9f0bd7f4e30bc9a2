using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using MASQuant.Runtime;
using Microsoft.Extensions.AI;
using OpenAI;

namespace MASQuant.Server.Tests;

/// <summary>A model behind a server in this process, and the official client pointed at it.</summary>
internal sealed class Served : IAsyncDisposable
{
    // Long by construction: as many digits as the schema wants, whatever the model would say.
    public const string LongAnswer = """{"model": "OmniTiny", "stream": true, "max_tokens": 30000, "messages": [{"role": "user", "content": "Count."}], "response_format": {"type": "json_schema", "json_schema": {"name": "digits", "schema": {"type": "array", "minItems": 9000, "items": {"type": "integer"}}}}}""";
    public const string ShortAnswer = """{"model": "OmniTiny", "max_tokens": 2, "messages": [{"role": "user", "content": "Hello."}]}""";

    private readonly ModelServer _server;

    private Served(MultimodalModel model, ModelServer server)
    {
        (Model, _server) = (model, server);
        Http = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromMinutes(5) };
    }

    public MultimodalModel Model { get; }

    public HttpClient Http { get; }

    public Uri Address => _server.Address;

    public static async Task<Served> StartAsync(string path, ServerOptions? options = null)
    {
        var model = MultimodalModel.Load(path);
        return new Served(model, await ModelServer.StartAsync(model, (options ?? new ServerOptions()) with { Port = 0, StopTimeout = TimeSpan.FromSeconds(1) }));
    }

    public OpenAIClient OpenAI(string key = "none") => OpenAI(_server.Address, key);

    /// <summary>The official client; a refusal is not tried again.</summary>
    public static OpenAIClient OpenAI(Uri address, string key = "none")
        => new(new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = new Uri(address, "v1"), RetryPolicy = new ClientRetryPolicy(0), NetworkTimeout = TimeSpan.FromMinutes(5) });

    public IChatClient Chat() => OpenAI().GetChatClient(Model.Name).AsIChatClient();

    public Task<HttpResponseMessage> Post(string json, string? key = null, CancellationToken cancellationToken = default) => Post(new StringContent(json, Encoding.UTF8, "application/json"), key, cancellationToken);

    public async Task<HttpResponseMessage> Post(HttpContent content, string? key = null, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = content };
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>A line of the metrics, as a number; 0 where it is not there.</summary>
    public async Task<double> Metric(string name)
    {
        var line = (await Http.GetStringAsync("/metrics")).Split('\n').SingleOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line[(name.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until a line of the metrics is as it must become.</summary>
    public async Task Until(string name, double value)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await Metric(name) != value)
        {
            await Task.Delay(20, limit.Token);
        }
    }

    public static async Task<JsonElement> Error(HttpResponseMessage response)
    {
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        var error = document.RootElement.GetProperty("error").Clone();
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(member => member.Name));
        return error;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _server.DisposeAsync();
        Model.Dispose();
    }
}
