namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A request to the server is not understood, or has what the server cannot honour.</summary>
    public const string ServedRequestNotSupported = "MASQ0943";

    /// <summary>The server's keys cannot be used, or their file has none.</summary>
    public const string ServerKeysInvalid = "MASQ0944";

    /// <summary>The server would answer other machines without a key.</summary>
    public const string ServerOpen = "MASQ0945";

    /// <summary>The server's address cannot be listened at.</summary>
    public const string CannotListen = "MASQ0946";

    /// <summary>Too many requests of one key are in progress or wait.</summary>
    public const string TooManyOfKey = "MASQ0947";
}
