namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A line of a conversation file is not a conversation.</summary>
    public const string ConversationInvalid = "MASQ0401";

    /// <summary>A line of a conversation file names a media file that is not there, or lies outside the file's folder.</summary>
    public const string ConversationMediaMissing = "MASQ0402";

    /// <summary>A line of a conversation file holds a modality that the model lacks.</summary>
    public const string ConversationModalityUnsupported = "MASQ0403";

    /// <summary>The calibration set has no sample for a modality of the model.</summary>
    public const string CalibrationModalityMissing = "MASQ0404";

    /// <summary>A conversation file is missing or holds no conversation.</summary>
    public const string ConversationsMissing = "MASQ0405";

    /// <summary>More calibration samples are asked for than there are.</summary>
    public const string CalibrationSubsetTooLarge = "MASQ0406";
}
