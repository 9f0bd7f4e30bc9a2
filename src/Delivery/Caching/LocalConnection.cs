using System.Net;
using System.Net.Sockets;

namespace MASQuant.Delivery.Caching;

/// <summary>Connections that do not leave the machine, by the address that was reached and not by the name that was asked for.</summary>
internal static class LocalConnection
{
    /// <summary>Opens one.</summary>
    /// <exception cref="RemoteCacheException">The name leads to another machine.</exception>
    public static async ValueTask<Stream> OpenAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            return socket.RemoteEndPoint is IPEndPoint { Address: var address } && IPAddress.IsLoopback(address)
                ? new NetworkStream(socket, ownsSocket: true)
                : throw new RemoteCacheException($"the token of {RemoteCacheSettings.TokenVariable} is sent over https only, and {context.DnsEndPoint.Host} is another machine");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
