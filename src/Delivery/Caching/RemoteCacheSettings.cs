using System.Globalization;

namespace MASQuant.Delivery.Caching;

/// <summary>Which server keeps artifacts for others, and how it is used.</summary>
/// <param name="Address">An <c>http</c> or <c>https</c> address; <c>/ac/KEY</c> and <c>/cas/SHA256</c> are appended.</param>
/// <param name="ReadOnly">Whether nothing is uploaded.</param>
/// <param name="Timeout">How long to wait for a connection, an answer or the next piece of one.</param>
/// <param name="Token">A bearer token, or null. It is never printed, and sent over <c>https</c> or within the machine only.</param>
public sealed record RemoteCacheSettings(Uri Address, bool ReadOnly, TimeSpan Timeout, string? Token)
{
    /// <summary>The environment variable that holds the token.</summary>
    public const string TokenVariable = "MASQUANT_REMOTE_CACHE_TOKEN";

    /// <summary>The timeout unless another is given, in seconds.</summary>
    public const int DefaultTimeout = 10;

    private const int MaxTimeout = 3600;

    /// <summary>The address without anything that must not be printed.</summary>
    public string Display => Address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    /// <summary>Reads an address, or null when it is none: an absolute <c>http</c> or <c>https</c> address without user, query and fragment.</summary>
    public static Uri? ReadAddress(string text)
        => Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var address)
            && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
            && address.UserInfo.Length + address.Query.Length + address.Fragment.Length == 0
            ? address
            : null;

    /// <summary>Reads a number of seconds, or null when it is none.</summary>
    public static TimeSpan? ReadTimeout(string text)
        => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= MaxTimeout ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>Says nothing of the token.</summary>
    public override string ToString() => Display;
}
