namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>An image file is neither PNG nor JPEG, or uses a variant of them that is not decoded.</summary>
    public const string ImageNotSupported = "MASQ0301";

    /// <summary>A PNG or JPEG file is damaged or cut short.</summary>
    public const string ImageCorrupt = "MASQ0302";

    /// <summary>An image has more pixels than the limits allow.</summary>
    public const string ImageTooLarge = "MASQ0303";

    /// <summary>An image is too narrow for the model, or a video's frames differ in size.</summary>
    public const string ImageShapeNotSupported = "MASQ0304";

    /// <summary>An audio file is not WAV, or has an encoding that is not decoded.</summary>
    public const string AudioNotSupported = "MASQ0311";

    /// <summary>A WAV file is damaged or cut short.</summary>
    public const string AudioCorrupt = "MASQ0312";

    /// <summary>An audio clip is longer than the model or the limits take.</summary>
    public const string AudioTooLong = "MASQ0313";

    /// <summary>A medium takes more bytes, or a video has more frames, than the limits allow.</summary>
    public const string MediumTooLarge = "MASQ0320";
}
