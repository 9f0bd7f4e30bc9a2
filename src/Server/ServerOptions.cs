using System.Net;
using MASQuant.Diagnostics;

namespace MASQuant.Server;

/// <summary>Where a model is served, to whom, and how much may be asked of it at once.</summary>
public sealed record ServerOptions
{
    /// <summary>The address to listen at: an IP address, or <c>localhost</c>. One that other machines reach needs <see cref="Keys"/> or <see cref="AllowAnonymous"/>.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The port; 0: one that is free (<see cref="ModelServer.Address"/>).</summary>
    public int Port { get; init; } = 8080;

    /// <summary>The keys, one of which every request must give (<c>Authorization: Bearer KEY</c>), but for those of <c>/health</c> and of the page at <c>/</c>. Visible ASCII. None: nobody is asked for one.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Whether other machines may ask without a key.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>How many requests may be in progress or wait; a further one is refused (429, MASQ0925) before its body is read. At least 1.</summary>
    public int MaxRequests { get; init; } = 80;

    /// <summary>How many requests of one key may be in progress or wait; a further one is refused (429, MASQ0947). At least 1.</summary>
    public int MaxRequestsPerKey { get; init; } = 16;

    /// <summary>The most bytes of a request's body, media in base64 included. At least 1.</summary>
    public long MaxRequestBytes { get; init; } = 32L << 20;

    /// <summary>How long answers in progress may go on when the server is told to stop; then they are cut off.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(5);

    internal IPAddress IPAddress => Host == "localhost" ? IPAddress.Loopback : IPAddress.TryParse(Host, out var address) ? address : throw CannotListen($"'{Host}' is no address to listen at", "Give an IP address (127.0.0.1, 0.0.0.0, ::1) or localhost");

    internal bool IsLoopback => IPAddress.IsLoopback(IPAddress);

    /// <summary>Refuses options that no server may have.</summary>
    /// <exception cref="MASQuantException">MASQ0944: a key that no header can carry. MASQ0945: other machines could ask without a key. MASQ0946: no address.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRequests, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRequestsPerKey, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRequestBytes, 1);
        for (var i = 0; i < Keys.Count; i++)
        {
            if (Keys[i].Length == 0 || Keys[i].Any(letter => letter is <= ' ' or > '~'))
            {
                throw new MASQuantException(DiagnosticCodes.ServerKeysInvalid, null, $"Key {i + 1} is empty or holds characters that no header can carry. Keys are visible ASCII without spaces.");
            }
        }

        if (!IsLoopback && Keys.Count == 0 && !AllowAnonymous)
        {
            throw new MASQuantException(DiagnosticCodes.ServerOpen, null, $"{Host} is reached by other machines, and no keys are set: anybody could use this one. Set keys (MASQUANT_KEYS, --key-file), listen at 127.0.0.1, or say that this is meant (--allow-anonymous).");
        }
    }

    internal static MASQuantException CannotListen(string what, string remedy, Exception? error = null) => new(DiagnosticCodes.CannotListen, null, $"{what}. {remedy}.", error);
}
