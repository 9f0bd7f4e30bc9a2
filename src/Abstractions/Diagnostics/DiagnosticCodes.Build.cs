namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A <c>QuantizedModel</c> item names no folder with a checkpoint.</summary>
    public const string ModelFolderMissing = "MASQ0701";

    /// <summary>A <c>QuantizedModel</c> item names no calibration set, or one that does not exist.</summary>
    public const string CalibrationMissing = "MASQ0702";

    /// <summary>Two <c>QuantizedModel</c> items of a project share a name.</summary>
    public const string DuplicateModelName = "MASQ0703";

    /// <summary>A <c>QuantizedModel</c> item has metadata that means nothing.</summary>
    public const string UnknownMetadata = "MASQ0704";

    /// <summary>An application's artifact is not where it was put by the build.</summary>
    public const string ArtifactNotFound = "MASQ0705";

    /// <summary>Quantization failed for a reason that no other code covers.</summary>
    public const string QuantizationFailed = "MASQ0706";

    /// <summary>A C# project with a <c>QuantizedModel</c> does not reference MASQuant.Runtime, which the generated class needs.</summary>
    public const string RuntimeMissing = "MASQ0707";

    /// <summary>A package of a project with a <c>QuantizedModel</c> does not carry the model, and the project does not say that this is meant.</summary>
    public const string ModelNotPacked = "MASQ0708";
}
