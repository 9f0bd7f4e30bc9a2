using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace MASQuant.Tests;

/// <summary>A cache server of its own making: plain GET and PUT below any prefix, and many ways to misbehave.</summary>
internal sealed class CacheServer : IDisposable
{
    /// <summary>The bytes that a dripping server announces.</summary>
    public const long DripsAnnounced = 1 << 30;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();

    public CacheServer()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public ServerManner Behaves { get; set; }

    /// <summary>The paths' last two parts, <c>ac/KEY</c> or <c>cas/SHA256</c>, and what they hold.</summary>
    public ConcurrentDictionary<string, byte[]> Stored { get; } = new();

    /// <summary>Every request as <c>METHOD ac/KEY</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>The Authorization headers that came.</summary>
    public ConcurrentQueue<string> Authorizations { get; } = new();

    /// <summary>Set when an upload begins.</summary>
    public ManualResetEventSlim Uploading { get; } = new();

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/some/prefix";

    public void Dispose()
    {
        _closing.Cancel();
        _listener.Stop();
    }

    private async Task AcceptAsync()
    {
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_closing.Token);
                _ = Task.Run(() => ServeAsync(client));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await AnswerAsync(client.GetStream());
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException)
            {
                // The client went away.
            }
        }
    }

    // One request per connection, which keeps misbehaving simple.
    private async Task AnswerAsync(NetworkStream stream)
    {
        var head = await ReadHeadAsync(stream);
        var words = head[0].Split(' ');
        var place = string.Join('/', words[1].Split('/')[^2..]);
        Requests.Enqueue($"{words[0]} {place}");
        foreach (var line in head.Where(line => line.StartsWith("Authorization: ", StringComparison.OrdinalIgnoreCase)))
        {
            Authorizations.Enqueue(line["Authorization: ".Length..]);
        }

        if (Behaves == ServerManner.Silent)
        {
            await Task.Delay(Timeout.Infinite, _closing.Token);
        }

        if (Behaves == ServerManner.Garbage)
        {
            await stream.WriteAsync("SSH-2.0-OpenSSH_9.6\r\n"u8.ToArray());
        }
        else if (words[0] == "PUT")
        {
            var length = int.Parse(head.Single(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))["Content-Length: ".Length..], CultureInfo.InvariantCulture);
            await TakeAsync(stream, place, length);
        }
        else
        {
            await GiveAsync(stream, place);
        }
    }

    private async Task TakeAsync(NetworkStream stream, string place, int length)
    {
        Uploading.Set();
        if (Behaves == ServerManner.StallsUploads)
        {
            await Task.Delay(Timeout.Infinite, _closing.Token);
        }

        var content = new byte[length];
        await stream.ReadExactlyAsync(content);
        if (Behaves is ServerManner.RefusesUploads or ServerManner.Fails)
        {
            await WriteAsync(stream, "403 Forbidden", []);
            return;
        }

        Assert.True(place.StartsWith("ac/", StringComparison.Ordinal) || place == "cas/" + Convert.ToHexStringLower(SHA256.HashData(content)));
        Stored[place] = content;
        await WriteAsync(stream, "200 OK", []);
    }

    private async Task GiveAsync(NetworkStream stream, string place)
    {
        var isContent = place.StartsWith("cas/", StringComparison.Ordinal);
        var content = Stored.GetValueOrDefault(place);
        switch (Behaves)
        {
            case ServerManner.Fails:
                await WriteAsync(stream, "500 Internal Server Error", []);
                break;
            case ServerManner.RedirectsToFile:
                await WriteAsync(stream, "302 Found\r\nLocation: file:///etc/passwd", []);
                break;
            case ServerManner.RedirectsToHost:
                await WriteAsync(stream, $"307 Temporary Redirect\r\nLocation: {Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}/{place}?followed", []);
                break;
            case ServerManner.Trickles:
                foreach (var letter in "HTTP/1.1 200 OK\r\nX-Never-Ending: "u8.ToArray().Concat(Enumerable.Repeat((byte)'x', 1000)))
                {
                    await stream.WriteAsync(new[] { letter });
                    await Task.Delay(50, _closing.Token);
                }

                break;
            case ServerManner.LacksContent when isContent:
                await WriteAsync(stream, "404 Not Found", []);
                break;
            case ServerManner.StallsInContent when isContent && content is not null:
                await WriteAsync(stream, "200 OK", content[..(content.Length / 2)], content.Length);
                await Task.Delay(Timeout.Infinite, _closing.Token);
                break;
            case ServerManner.Drips when isContent:
                await WriteAsync(stream, "200 OK", [], DripsAnnounced);
                while (true)
                {
                    await stream.WriteAsync(new byte[1], _closing.Token);
                    await Task.Delay(50, _closing.Token);
                }

            case ServerManner.Truncates when isContent && content is not null:
                await WriteAsync(stream, "200 OK", content[..(content.Length / 2)]);
                break;
            case ServerManner.Swaps when isContent && content is not null:
                await WriteAsync(stream, "200 OK", [.. content.Reverse()]);
                break;
            case ServerManner.SwapsResults when !isContent:
                await WriteAsync(stream, "200 OK", Stored.First(other => other.Key.StartsWith("ac/", StringComparison.Ordinal) && other.Key != place).Value);
                break;
            case ServerManner.AnnouncesTooMuch when isContent && content is not null:
                await WriteAsync(stream, "200 OK", content, 1L << 40);
                break;
            case ServerManner.SendsTooMuch:
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8.ToArray());
                while (true)
                {
                    await stream.WriteAsync(new byte[1 << 16], _closing.Token);
                }

            default:
                await WriteAsync(stream, content is null ? "404 Not Found" : "200 OK", content ?? []);
                break;
        }
    }

    private static async Task WriteAsync(NetworkStream stream, string status, byte[] content, long? length = null)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {length ?? content.Length}\r\nConnection: close\r\n\r\n"));
        await stream.WriteAsync(content);
    }

    private static async Task<string[]> ReadHeadAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        var letter = new byte[1];
        while (!(head.Count >= 4 && head[^4..].SequenceEqual("\r\n\r\n"u8.ToArray())))
        {
            await stream.ReadExactlyAsync(letter);
            head.Add(letter[0]);
        }

        return Encoding.ASCII.GetString([.. head]).TrimEnd().Split("\r\n");
    }
}
