using MASQuant.Diagnostics;

namespace MASQuant.Delivery.Caching;

/// <summary>How a build caches: the properties whose names begin with <c>MASQuant</c>.</summary>
/// <param name="Folder">The shared cache, or null for none.</param>
/// <param name="MaxBytes">How much it may hold.</param>
/// <param name="Remote">The server, or null for none.</param>
public sealed record CacheSettings(CacheFolder? Folder, long MaxBytes, RemoteCacheSettings? Remote)
{
    /// <summary>Names the folder, as property and as environment variable.</summary>
    public const string DirectoryWord = "MASQuantCacheDirectory";

    /// <summary>Names the limit, as property and as environment variable.</summary>
    public const string MaxBytesWord = "MASQuantCacheMaxBytes";

    /// <summary>The limit unless another is given.</summary>
    public const long DefaultMaxBytes = 50_000_000_000;

    /// <summary>Reads properties by their whole names; empty ones mean their default.</summary>
    /// <param name="properties">Names and values.</param>
    /// <param name="project">Relative folders start beside it; messages name it.</param>
    /// <exception cref="MASQuantException">MASQ0932: a value is not allowed.</exception>
    public static CacheSettings Read(IReadOnlyDictionary<string, string> properties, string project)
    {
        string Value(string name) => properties.GetValueOrDefault(name, "").Trim();
        T Parsed<T>(string name, T initial, Func<string, T?> read, string allowed)
            where T : struct
            => Value(name) is { Length: > 0 } text ? read(text) ?? throw NotAllowed(project, name, $"'{text}'", allowed) : initial;

        var isOn = Parsed("MASQuantCache", true, Boolean, "true, false");
        var place = Value(DirectoryWord) is { Length: > 0 } given ? Path.GetFullPath(given, Path.GetDirectoryName(Path.GetFullPath(project))!) : CacheFolder.Default();
        var maxBytes = Parsed(MaxBytesWord, DefaultMaxBytes, ByteCount.Read, ByteCount.Allowed);
        var readOnly = Parsed("MASQuantRemoteCacheReadOnly", false, Boolean, "true, false");
        var timeout = Parsed("MASQuantRemoteCacheTimeout", TimeSpan.FromSeconds(RemoteCacheSettings.DefaultTimeout), RemoteCacheSettings.ReadTimeout, "seconds above 0, at most 3600");
        RemoteCacheSettings? remote = null;
        if (Value("MASQuantRemoteCache") is { Length: > 0 } address)
        {
            // The address itself stays out of the message: it may hold a password.
            var read = RemoteCacheSettings.ReadAddress(address) ?? throw NotAllowed(project, "MASQuantRemoteCache", "The value",
                $"an http or https address without user, query and fragment; {RemoteCacheSettings.TokenVariable} holds a token");
            remote = new RemoteCacheSettings(read, readOnly, timeout, Environment.GetEnvironmentVariable(RemoteCacheSettings.TokenVariable) is { Length: > 0 } token ? token : null);
        }

        return new CacheSettings(isOn && place is not null ? new CacheFolder(place) : null, maxBytes, remote);
    }

    private static bool? Boolean(string text) => bool.TryParse(text, out var value) ? value : null;

    private static MASQuantException NotAllowed(string project, string name, string value, string allowed)
        => new(DiagnosticCodes.CacheSettingNotAllowed, project, $"{value} is not allowed for the property {name}. Allowed: {allowed}.");
}
