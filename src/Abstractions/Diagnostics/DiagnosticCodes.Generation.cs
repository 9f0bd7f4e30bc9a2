namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A generation option lies outside its range.</summary>
    public const string GenerationOptionOutOfRange = "MASQ0901";

    /// <summary>The model's logits hold no finite value to choose from.</summary>
    public const string LogitsNotFinite = "MASQ0902";

    /// <summary>A schema for an answer is malformed, or asks for what cannot be promised.</summary>
    public const string AnswerFormatUnsupported = "MASQ0903";

    /// <summary>A model is to think before it answers, and cannot.</summary>
    public const string ThoughtUnsupported = "MASQ0904";
}
