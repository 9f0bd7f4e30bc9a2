namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>The command line is not understood.</summary>
    public const string CommandLineInvalid = "MASQ0801";

    /// <summary>The file system refused to read or write.</summary>
    public const string FileSystemRefused = "MASQ0802";

    /// <summary>A warning: samples of an evaluation calibrated the model that it judges.</summary>
    public const string EvaluationOnCalibration = "MASQ0803";

    /// <summary>A defect of the tool itself.</summary>
    public const string InternalError = "MASQ0804";

    /// <summary>A conversation that evaluates a model lacks the expected answer.</summary>
    public const string ExpectedAnswerMissing = "MASQ0805";

    /// <summary>Models that do not share a tokenizer cannot be compared.</summary>
    public const string ModelsNotComparable = "MASQ0806";

    /// <summary>A path names neither a checkpoint nor an artifact nor a manifest.</summary>
    public const string ModelNotFound = "MASQ0807";
}
