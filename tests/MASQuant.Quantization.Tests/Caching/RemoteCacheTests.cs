using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using MASQuant.Delivery.Caching;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Caching;

public class RemoteCacheTests
{
    private const double Timeout = 60; // never what a busy machine needs
    private const double Standstill = 0.5; // what a test waits where nothing comes anyway
    private static readonly string Key = CacheCase.Key("a");

    [Fact]
    public async Task What_is_uploaded_can_be_downloaded()
    {
        using var server = new CacheServer();
        using var cache = new CacheCase();
        using var remote = Remote(server);
        Assert.Null(await remote.FindAsync(Key, CacheCase.Entry, default));

        var result = cache.Write(Key);
        await remote.UploadAsync(result, cache.Folder.Run(Key).Output, default);
        Assert.StartsWith("PUT cas/", server.Requests.ElementAt(1), StringComparison.Ordinal);
        Assert.Equal($"PUT ac/{Key}", server.Requests.Last()); // whoever sees the result finds its contents

        var found = await remote.FindAsync(Key, CacheCase.Entry, default);
        Assert.Equal(result.Files, found!.Files);
        foreach (var file in found.Files)
        {
            Assert.True(await remote.DownloadAsync(file, Path.Combine(cache.Target, file.Name), default));
        }

        Assert.Equal(("manifest", "artifact"), (cache.Restored(0), cache.Restored(1)));
    }

    [Theory]
    [InlineData(ServerManner.Silent, "stood still")]
    [InlineData(ServerManner.Trickles, "stood still")]
    [InlineData(ServerManner.StallsInContent, "stood still")]
    [InlineData(ServerManner.Fails, "answers 500")]
    [InlineData(ServerManner.RedirectsToFile, "redirects")]
    [InlineData(ServerManner.RedirectsToHost, "redirects")]
    [InlineData(ServerManner.Truncates, "ends after 4 of 8 bytes")]
    [InlineData(ServerManner.Swaps, "has another hash")]
    [InlineData(ServerManner.SwapsResults, "no action result of the key")]
    [InlineData(ServerManner.SendsTooMuch, "sends more than")]
    [InlineData(ServerManner.AnnouncesTooMuch, "sends 1099511627776 bytes where at most")]
    [InlineData(ServerManner.Garbage, "transfer failed")]
    public async Task A_server_that_misbehaves_is_found_out(ServerManner manner, string message)
    {
        using var server = new CacheServer();
        using var cache = new CacheCase();
        using var filler = Remote(server);
        using var remote = Remote(server, message == "stood still" ? Standstill : Timeout);
        await filler.UploadAsync(cache.Write(Key), cache.Folder.Run(Key).Output, default);
        await filler.UploadAsync(cache.Write(CacheCase.Key("b"), artifact: "other"), cache.Folder.Run(CacheCase.Key("b")).Output, default);
        server.Behaves = manner;
        var error = await Assert.ThrowsAsync<RemoteCacheException>(async () =>
        {
            var found = await remote.FindAsync(Key, CacheCase.Entry, default);
            await remote.DownloadAsync(found!.Files[1], Path.Combine(cache.Target, "file"), default);
        });
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Requests, request => request.Contains("followed", StringComparison.Ordinal));
    }

    /// <summary>It announces so much that at the least speed hours would pass.</summary>
    [Fact]
    public async Task A_server_that_drips_is_given_no_more_time_for_what_it_announces()
    {
        using var server = new CacheServer { Behaves = ServerManner.Drips };
        using var cache = new CacheCase();
        using var remote = Remote(server, 10 * Standstill); // a busy machine's drips come late, not so late
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(Timeout));
        var error = await Assert.ThrowsAsync<RemoteCacheException>(() => remote.DownloadAsync(new CachedFile("file", Key, CacheServer.DripsAnnounced), Path.Combine(cache.Target, "file"), end.Token));
        Assert.Contains("stood still", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_found_out()
    {
        var gone = new CacheServer();
        using var remote = Remote(gone);
        gone.Dispose();
        await Assert.ThrowsAsync<RemoteCacheException>(() => remote.FindAsync(Key, CacheCase.Entry, default));
    }

    [Fact]
    public async Task A_content_that_the_server_dropped_is_no_trouble()
    {
        using var server = new CacheServer { Behaves = ServerManner.LacksContent };
        using var cache = new CacheCase();
        using var remote = Remote(server);
        Assert.False(await remote.DownloadAsync(new CachedFile("file", Key, 5), Path.Combine(cache.Target, "file"), default));
    }

    [Fact]
    public async Task More_than_the_disk_holds_is_not_begun()
    {
        using var server = new CacheServer();
        using var cache = new CacheCase();
        using var remote = Remote(server);
        await Assert.ThrowsAsync<RemoteCacheException>(() => remote.DownloadAsync(new CachedFile("file", Key, long.MaxValue), Path.Combine(cache.Target, "file"), default));
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(ServerManner.RefusesUploads, "answers 403")]
    [InlineData(ServerManner.StallsUploads, "stood still")]
    public async Task A_server_that_takes_nothing_is_found_out(ServerManner manner, string message)
    {
        using var server = new CacheServer { Behaves = manner };
        using var cache = new CacheCase();
        using var remote = Remote(server, message == "stood still" ? Standstill : Timeout);
        var error = await Assert.ThrowsAsync<RemoteCacheException>(() => remote.UploadAsync(cache.Write(Key), cache.Folder.Run(Key).Output, default));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Uploads_can_be_cancelled()
    {
        using var server = new CacheServer { Behaves = ServerManner.StallsUploads };
        using var cache = new CacheCase();
        using var remote = Remote(server, timeout: 60);
        using var cancellation = new CancellationTokenSource();
        var upload = remote.UploadAsync(cache.Write(Key), cache.Folder.Run(Key).Output, cancellation.Token);
        server.Uploading.Wait(TimeSpan.FromSeconds(30));
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upload);
    }

    [Fact]
    public async Task A_token_is_sent_to_the_machine_itself_and_never_shown()
    {
        using var server = new CacheServer();
        var settings = new RemoteCacheSettings(new Uri(server.Address + "/"), false, TimeSpan.FromSeconds(Timeout), "s3cret");
        using var remote = new RemoteCache(settings);
        await remote.FindAsync(Key, CacheCase.Entry, default);
        Assert.Equal(["Bearer s3cret"], server.Authorizations);
        Assert.DoesNotContain("s3cret", settings.ToString(), StringComparison.Ordinal);

        using var far = new RemoteCache(settings with { Address = new Uri("http://example.invalid/") });
        Assert.Contains("over https only", (await Assert.ThrowsAsync<RemoteCacheException>(() => far.FindAsync(Key, CacheCase.Entry, default))).Message, StringComparison.Ordinal);

        using var odd = new RemoteCache(settings with { Token = "s3cret\r\nHost: other" });
        Assert.DoesNotContain("s3cret", (await Assert.ThrowsAsync<RemoteCacheException>(() => odd.FindAsync(Key, CacheCase.Entry, default))).ToString(), StringComparison.Ordinal);
    }

    /// <summary>What http_proxy would set.</summary>
    [Fact]
    public async Task A_token_for_the_machine_itself_passes_no_proxy()
    {
        using var server = new CacheServer();
        using var proxy = new CacheServer();
        var usual = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new WebProxy(new Uri(proxy.Address).GetLeftPart(UriPartial.Authority));
        try
        {
            using var remote = new RemoteCache(new RemoteCacheSettings(new Uri(server.Address + "/"), false, TimeSpan.FromSeconds(Timeout), "s3cret"));
            await remote.FindAsync(Key, CacheCase.Entry, default);
        }
        finally
        {
            HttpClient.DefaultProxy = usual;
        }

        Assert.Equal(["Bearer s3cret"], server.Authorizations);
        Assert.Empty(proxy.Requests);
    }

    [Fact]
    public void A_token_in_clear_takes_connections_that_are_looked_at()
    {
        var settings = new RemoteCacheSettings(new Uri("http://localhost/"), false, TimeSpan.FromSeconds(Timeout), "s3cret");
        using var handler = RemoteCache.Handler(settings);
        Assert.Equal(LocalConnection.OpenAsync, handler.ConnectCallback);
    }

    /// <summary>A name may be the machine's own by its letters, and lead elsewhere.</summary>
    [SkippableFact]
    public async Task A_connection_that_leaves_the_machine_is_not_used_in_clear()
    {
        var elsewhere = NetworkInterface.GetAllNetworkInterfaces().SelectMany(network => network.GetIPProperties().UnicastAddresses)
            .Select(address => address.Address).FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
        Skip.If(elsewhere is null, "The machine has no address but the loopback's.");
        using var listener = new TcpListener(elsewhere, 0);
        listener.Start();
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectCallback = LocalConnection.OpenAsync }) { Timeout = TimeSpan.FromSeconds(10) };
        var error = await Assert.ThrowsAnyAsync<Exception>(() => client.GetAsync(new Uri($"http://{listener.LocalEndpoint}/")));
        Assert.Contains("another machine", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_of_a_build_warns()
    {
        using var cache = new CacheCase();
        var build = Guid.NewGuid().ToString();
        var first = 0;
        Parallel.For(0, 8, _ => Interlocked.Add(ref first, new RemoteTrouble(cache.Folder.Path, build).Note() ? 1 : 0));
        Assert.Equal(1, first);
        Assert.True(new RemoteTrouble(cache.Folder.Path, build).IsKnown);
        Assert.True(new RemoteTrouble(cache.Folder.Path, Guid.NewGuid().ToString()).Note());
        Assert.True(new RemoteTrouble(cache.Folder.Path, "").Note());
        Assert.False(new RemoteTrouble(cache.Folder.Path, "../escape").IsKnown);
    }

    private static RemoteCache Remote(CacheServer server, double timeout = Timeout)
        => new(new RemoteCacheSettings(RemoteCacheSettings.ReadAddress(server.Address)!, false, TimeSpan.FromSeconds(timeout), null));
}
