using MASQuant.Diagnostics;

namespace MASQuant.Delivery.Caching;

/// <summary>How artifacts are cached: a build's properties, or environment variables of the same names.</summary>
/// <param name="Folder">The shared cache, or null for none.</param>
/// <param name="MaxBytes">How much it may hold.</param>
/// <param name="Remote">The server, or null for none.</param>
public sealed record CacheSettings(CacheFolder? Folder, long MaxBytes, RemoteCacheSettings? Remote)
{
    private const string SwitchWord = "MASQuantCache";
    private const string RemoteWord = "MASQuantRemoteCache";
    private const string ReadOnlyWord = "MASQuantRemoteCacheReadOnly";
    private const string TimeoutWord = "MASQuantRemoteCacheTimeout";

    /// <summary>Names the folder, as property and as environment variable.</summary>
    public const string DirectoryWord = "MASQuantCacheDirectory";

    /// <summary>Names the limit, as property and as environment variable.</summary>
    public const string MaxBytesWord = "MASQuantCacheMaxBytes";

    /// <summary>The limit unless another is given.</summary>
    public const long DefaultMaxBytes = 50_000_000_000;

    /// <summary>Reads properties by their whole names; empty ones mean their default.</summary>
    /// <param name="properties">Names and values.</param>
    /// <param name="project">Relative folders start beside it, and messages name it; null for environment variables, whose relative folders start at the current one.</param>
    /// <exception cref="MASQuantException">MASQ0932: a value is not allowed.</exception>
    public static CacheSettings Read(IReadOnlyDictionary<string, string> properties, string? project)
    {
        string Value(string name) => properties.GetValueOrDefault(name, "").Trim();
        T Parsed<T>(string name, T initial, Func<string, T?> read, string allowed)
            where T : struct
            => Value(name) is { Length: > 0 } text ? read(text) ?? throw NotAllowed(project, name, $"'{text}'", allowed) : initial;

        var isOn = Parsed(SwitchWord, true, Boolean, "true, false");
        var place = Value(DirectoryWord) is { Length: > 0 } given ? Path.GetFullPath(given, project is null ? Environment.CurrentDirectory : Path.GetDirectoryName(Path.GetFullPath(project))!) : CacheFolder.Default();
        var maxBytes = Parsed(MaxBytesWord, DefaultMaxBytes, ByteCount.Read, ByteCount.Allowed);
        var readOnly = Parsed(ReadOnlyWord, false, Boolean, "true, false");
        var timeout = Parsed(TimeoutWord, TimeSpan.FromSeconds(RemoteCacheSettings.DefaultTimeout), RemoteCacheSettings.ReadTimeout, "seconds above 0, at most 3600");
        RemoteCacheSettings? remote = null;
        if (Value(RemoteWord) is { Length: > 0 } address)
        {
            // The address itself stays out of the message: it may hold a password.
            var read = RemoteCacheSettings.ReadAddress(address) ?? throw NotAllowed(project, RemoteWord, "The value",
                $"an http or https address without user, query and fragment; {RemoteCacheSettings.TokenVariable} holds a token");
            remote = new RemoteCacheSettings(read, readOnly, timeout, Environment.GetEnvironmentVariable(RemoteCacheSettings.TokenVariable) is { Length: > 0 } token ? token : null);
        }

        return new CacheSettings(isOn && place is not null ? new CacheFolder(place) : null, maxBytes, remote);
    }

    /// <summary>No caches at all.</summary>
    public static CacheSettings None { get; } = new(null, DefaultMaxBytes, null);

    /// <summary>Reads the environment variables that MSBuild takes for properties.</summary>
    /// <exception cref="MASQuantException">MASQ0932: a value is not allowed.</exception>
    public static CacheSettings OfEnvironment()
        => Read(new[] { SwitchWord, DirectoryWord, MaxBytesWord, RemoteWord, ReadOnlyWord, TimeoutWord }.ToDictionary(name => name, name => Environment.GetEnvironmentVariable(name) ?? ""), project: null);

    private static bool? Boolean(string text) => bool.TryParse(text, out var value) ? value : null;

    private static MASQuantException NotAllowed(string? project, string name, string value, string allowed)
        => new(DiagnosticCodes.CacheSettingNotAllowed, project, $"{value} is not allowed for the {(project is null ? "environment variable" : "property")} {name}. Allowed: {allowed}.");
}
