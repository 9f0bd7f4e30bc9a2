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

    /// <summary>The checkpoint is quantized already.</summary>
    public const string CheckpointQuantized = "MASQ0205";

    /// <summary>A warning: the configuration says that the head is the embedding, and the checkpoint holds another one.</summary>
    public const string HeadNotTied = "MASQ0206";

    /// <summary>A warning: the checkpoint's chat template is none that the family's format is known to equal.</summary>
    public const string ChatTemplateUnknown = "MASQ0207";
}
