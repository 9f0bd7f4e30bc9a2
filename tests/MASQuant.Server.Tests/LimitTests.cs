using System.Net;
using MASQuant.Tests;

namespace MASQuant.Server.Tests;

/// <summary>Who may ask, and how much at once.</summary>
public class LimitTests
{
    private static readonly ServerOptions WithKeys = new() { Keys = ["first-key", "second-key"], MaxRequests = 3, MaxRequestsPerKey = 1 };

    [Theory]
    [InlineData(null, "/v1/models", 401)]
    [InlineData("other-key", "/v1/models", 401)]
    [InlineData("first-ke", "/v1/models", 401)]
    [InlineData("first-key", "/v1/models", 200)]
    [InlineData("second-key", "/v1/models", 200)]
    [InlineData(null, "/metrics", 401)]
    [InlineData(null, "/nowhere", 401)]
    [InlineData(null, "/", 200)]
    [InlineData(null, "/page.js", 200)]
    [InlineData(null, "/health", 200)]
    [InlineData(null, "/health/live", 200)]
    [InlineData(null, "/health/ready", 200)]
    public async Task A_key_is_asked_for(string? key, string path, int status)
    {
        await using var served = await Served.StartAsync(RepositoryFiles.OmniTiny, WithKeys);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = key is null ? null : new("Bearer", key);
        using var response = await served.Http.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        if (status == 401)
        {
            Assert.Equal("invalid_api_key", (await Served.Error(response)).GetProperty("code").GetString());
            Assert.Equal("Bearer", Assert.Single(response.Headers.WwwAuthenticate).Scheme);
        }
    }

    [Fact]
    public async Task Each_key_has_its_own_limit()
    {
        await using var served = await Served.StartAsync(RepositoryFiles.OmniTiny, WithKeys);
        using var first = await served.Post(Served.LongAnswer, "first-key");
        using var again = await served.Post(Served.ShortAnswer, "first-key");
        await RefusedForNow(again, "MASQ0947");
        using var other = await served.Post(Served.ShortAnswer, "second-key");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task The_queue_is_bounded_and_a_client_that_leaves_makes_room()
    {
        await using var served = await Served.StartAsync(RepositoryFiles.OmniTiny, new ServerOptions { MaxRequests = 1 });
        using (var first = await served.Post(Served.LongAnswer))
        {
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            Assert.Equal((1, 0), (await served.Metric("masquant_requests_in_progress"), await served.Metric("masquant_requests_waiting")));
            using var second = await served.Post(Served.ShortAnswer);
            await RefusedForNow(second, "MASQ0925");
        }

        // Its client has left: the answer, which was to be of thousands of tokens, has ended, and counts as such.
        await served.Until("masquant_requests_total{status=\"499\"}", 1);
        Assert.Equal((0, 0), (await served.Metric("masquant_requests_in_progress"), await served.Metric("masquant_generated_tokens_total")));
        using var third = await served.Post(Served.ShortAnswer);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
        await third.Content.ReadAsStringAsync();
        await served.Until("masquant_requests_total{status=\"200\"}", 1);
        Assert.Equal(2, await served.Metric("masquant_generated_tokens_total"));
        Assert.Equal(1, await served.Metric("masquant_requests_total{status=\"429\"}"));
        Assert.Equal(3, await served.Metric("masquant_request_seconds_count"));
    }

    [Fact]
    public async Task A_body_is_bounded()
    {
        await using var served = await Served.StartAsync(RepositoryFiles.OmniTiny, new ServerOptions { MaxRequestBytes = 1000 });
        using var response = await served.Post(Served.ShortAnswer.Replace("Hello", new string('a', 1000), StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("MASQ0943", (await Served.Error(response)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Other_machines_are_not_let_in_unasked()
    {
        using var model = Runtime.MultimodalModel.Load(RepositoryFiles.OmniTiny);
        foreach (var (options, code) in new (ServerOptions, string)[]
        {
            (new() { Host = "0.0.0.0" }, "MASQ0945"),
            (new() { Host = "::" }, "MASQ0945"),
            (new() { Host = "example.org" }, "MASQ0946"),
            (new() { Keys = ["good", "not good"] }, "MASQ0944"),
        })
        {
            Assert.Equal(code, (await Assert.ThrowsAsync<MASQuantException>(() => ModelServer.StartAsync(model, options with { Port = 0 }))).Code);
        }

        foreach (var options in (ServerOptions[])[new() { Host = "0.0.0.0", AllowAnonymous = true }, new() { Host = "0.0.0.0", Keys = ["good"] }, new() { Host = "localhost" }])
        {
            await using var server = await ModelServer.StartAsync(model, options with { Port = 0 });
            Assert.NotEqual(0, server.Address.Port);
        }
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told()
    {
        await using var served = await Served.StartAsync(RepositoryFiles.OmniTiny);
        Assert.Equal("MASQ0946", (await Assert.ThrowsAsync<MASQuantException>(() => ModelServer.StartAsync(served.Model, new ServerOptions { Port = served.Address.Port }))).Code);
    }

    private static async Task RefusedForNow(HttpResponseMessage response, string code)
    {
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter!.Delta);
        Assert.Equal(code, (await Served.Error(response)).GetProperty("code").GetString());
    }
}
