namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A chat request has an option that the client cannot honour.</summary>
    public const string ChatOptionNotSupported = "MASQ0940";

    /// <summary>A chat request has a message, or a content of one, that has no place in a prompt.</summary>
    public const string ChatMessageNotSupported = "MASQ0941";

    /// <summary>A host is given no model, two, or one that is not there.</summary>
    public const string HostOptionsInvalid = "MASQ0942";
}
