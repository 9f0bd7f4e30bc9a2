namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A warning: the shared cache's folder cannot be used.</summary>
    public const string CacheNotUsable = "MASQ0930";

    /// <summary>A warning: the remote cache does not serve as it should.</summary>
    public const string RemoteCacheFailed = "MASQ0931";

    /// <summary>A property of the cache has a value that is not allowed.</summary>
    public const string CacheSettingNotAllowed = "MASQ0932";

    /// <summary>A warning: an entry of the shared cache was damaged.</summary>
    public const string CacheEntryDamaged = "MASQ0933";
}
