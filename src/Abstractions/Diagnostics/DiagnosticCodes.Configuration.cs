namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A configuration file is not JSON, or a member has the wrong type or is missing.</summary>
    public const string ConfigInvalid = "MASQ0201";

    /// <summary>The checkpoint is of an architecture that is not supported.</summary>
    public const string ArchitectureUnknown = "MASQ0202";

    /// <summary>A configuration value lies outside what the model code supports.</summary>
    public const string ConfigOutOfRange = "MASQ0203";

    /// <summary>A file that belongs to a model is missing.</summary>
    public const string ModelFileMissing = "MASQ0204";
}
