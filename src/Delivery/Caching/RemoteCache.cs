using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery.Caching;

/// <summary>A server that keeps action results and contents, asked by plain GET and PUT as bazel-remote answers them. Nothing that it says is believed: sizes are limits, hashes are checked, redirects are not followed.</summary>
public sealed class RemoteCache : IDisposable
{
    private const int BufferSize = 1 << 16;
    private static readonly MediaTypeHeaderValue Binary = new("application/octet-stream");
    private readonly RemoteCacheSettings _settings;
    private readonly HttpClient _client;

    public RemoteCache(RemoteCacheSettings settings)
    {
        _settings = settings;
        _client = new HttpClient(Handler(settings)) { Timeout = Timeout.InfiniteTimeSpan }; // Patience decides.
    }

    /// <summary>How connections are made.</summary>
    internal static SocketsHttpHandler Handler(RemoteCacheSettings settings)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = settings.Timeout, MaxResponseDrainSize = 0 };
        if (settings.Address.Scheme != Uri.UriSchemeHttps)
        {
            // What is sent in clear stays within the machine: no proxy sees it, and a name that leads elsewhere gets nothing.
            handler.UseProxy = !settings.Address.IsLoopback;
            handler.ConnectCallback = settings.Token is null ? null : LocalConnection.OpenAsync;
        }

        return handler;
    }

    public void Dispose() => _client.Dispose();

    /// <summary>What the server knows of a key; null when it knows nothing.</summary>
    /// <exception cref="RemoteCacheException">It does not answer as it should.</exception>
    public Task<ActionResult?> FindAsync(string key, EntryNames names, CancellationToken cancellationToken)
        => AskAsync(Request(HttpMethod.Get, "ac/" + key), async (response, patience) =>
        {
            using var message = new MemoryStream();
            await ReceiveAsync(response, ActionResult.MaxBytes, message.Write, patience).ConfigureAwait(false);
            return ActionResult.Parse(message.ToArray(), key, names) ?? throw new RemoteCacheException("its answer is no action result of the key that was asked for");
        }, cancellationToken);

    /// <summary>Downloads a content to a file; false when the server does not have it.</summary>
    /// <exception cref="RemoteCacheException">It does not answer as it should, or with another content.</exception>
    public async Task<bool> DownloadAsync(CachedFile file, string path, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(path)!;
        FileSystem.Current.CreateFolder(folder);
        if (DiskSpace.Free(folder) is > 0 and var free && file.Bytes > free)
        {
            throw new RemoteCacheException($"it announces {file.Bytes} bytes, more than there is space for");
        }

        return await AskAsync(Request(HttpMethod.Get, "cas/" + file.Sha256), async (response, patience) =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var stream = FileSystem.Current.Open(path, FileMode.Create, FileAccess.Write, FileShare.None);
            var received = await ReceiveAsync(response, file.Bytes, piece =>
            {
                hash.AppendData(piece);
                stream.Write(piece);
            }, patience).ConfigureAwait(false);
            stream.Flush(flushToDisk: true);
            return received < file.Bytes ? throw new RemoteCacheException($"content {file.Sha256} ends after {received} of {file.Bytes} bytes")
                : Convert.ToHexStringLower(hash.GetHashAndReset()) == file.Sha256 ? "done"
                : throw new RemoteCacheException($"content {file.Sha256} has another hash");
        }, cancellationToken).ConfigureAwait(false) is not null;
    }

    /// <summary>Uploads an entry, the contents before the result that names them.</summary>
    /// <exception cref="RemoteCacheException">The server does not take it.</exception>
    public async Task UploadAsync(ActionResult result, string folder, CancellationToken cancellationToken)
    {
        foreach (var file in result.Files)
        {
            await PutAsync("cas/" + file.Sha256, ContentHash.OpenRead(Path.Combine(folder, file.Name)), cancellationToken).ConfigureAwait(false);
        }

        await PutAsync("ac/" + result.Key, new MemoryStream(result.Serialize()), cancellationToken).ConfigureAwait(false);
    }

    private async Task PutAsync(string place, Stream content, CancellationToken cancellationToken)
    {
        using var patience = new Patience(_settings.Timeout, cancellationToken);
        var request = Request(HttpMethod.Put, place);
        request.Content = new StreamContent(new WatchedStream(content, patience.Moved), BufferSize) { Headers = { ContentType = Binary, ContentLength = content.Length } };
        if (await AskAsync(request, patience, (_, _) => Task.FromResult("done"), cancellationToken).ConfigureAwait(false) is null)
        {
            throw new RemoteCacheException("it takes no uploads (404)");
        }
    }

    private async Task<T?> AskAsync<T>(HttpRequestMessage request, Func<HttpResponseMessage, Patience, Task<T>> read, CancellationToken cancellationToken)
        where T : class
    {
        using var patience = new Patience(_settings.Timeout, cancellationToken);
        return await AskAsync(request, patience, read, cancellationToken).ConfigureAwait(false);
    }

    private async Task<T?> AskAsync<T>(HttpRequestMessage request, Patience patience, Func<HttpResponseMessage, Patience, Task<T>> read, CancellationToken cancellationToken)
        where T : class
    {
        using (request)
        {
            try
            {
                using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token).ConfigureAwait(false);
                patience.Renew();
                return response.StatusCode == HttpStatusCode.NotFound ? null
                    : response.IsSuccessStatusCode ? await read(response, patience).ConfigureAwait(false)
                    : throw new RemoteCacheException((int)response.StatusCode is >= 300 and < 400 ? $"it redirects ({(int)response.StatusCode}), which is not followed" : $"it answers {(int)response.StatusCode}");
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                throw new RemoteCacheException(FormattableString.Invariant($"it stood still for {_settings.Timeout.TotalSeconds} s or was slower than it would be worth waiting for"), exception);
            }
            catch (Exception exception) when (exception is not (OperationCanceledException or RemoteCacheException)) // Whatever a server makes the client throw, no build fails of it.
            {
                throw new RemoteCacheException($"the transfer failed: {exception.Message}", exception);
            }
        }
    }

    private static async Task<long> ReceiveAsync(HttpResponseMessage response, long maxBytes, ReceivePiece receive, Patience patience)
    {
        if (response.Content.Headers.ContentLength > maxBytes)
        {
            throw new RemoteCacheException($"it sends {response.Content.Headers.ContentLength} bytes where at most {maxBytes} belong");
        }

        using var stream = await response.Content.ReadAsStreamAsync(patience.Token).ConfigureAwait(false);
        var buffer = new byte[BufferSize];
        var received = 0L;
        for (int read; (read = await stream.ReadAsync(buffer, patience.Token).ConfigureAwait(false)) > 0;)
        {
            received += read;
            if (received > maxBytes)
            {
                throw new RemoteCacheException($"it sends more than the {maxBytes} bytes that belong there");
            }

            receive(buffer.AsSpan(0, read));
            patience.Moved(read);
        }

        return received;
    }

    private HttpRequestMessage Request(HttpMethod method, string place)
    {
        var request = new HttpRequestMessage(method, new Uri(_settings.Address, place));
        if (_settings.Token is { } token)
        {
            if (_settings.Address.Scheme != Uri.UriSchemeHttps && !_settings.Address.IsLoopback)
            {
                throw new RemoteCacheException($"the token of {RemoteCacheSettings.TokenVariable} is sent over https only");
            }

            if (token.Length == 0 || token.Any(letter => !char.IsBetween(letter, '!', '~')))
            {
                throw new RemoteCacheException($"the token of {RemoteCacheSettings.TokenVariable} has letters that no header takes");
            }

            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return request;
    }

    private delegate void ReceivePiece(ReadOnlySpan<byte> piece);
}
