namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary><c>tokenizer.json</c> is not JSON, or lacks what the format requires.</summary>
    public const string TokenizerMalformed = "MASQ0210";

    /// <summary><c>tokenizer.json</c> asks for another tokenizer than Qwen's byte-level BPE.</summary>
    public const string TokenizerUnsupported = "MASQ0211";

    /// <summary>Parts of <c>tokenizer.json</c> contradict each other.</summary>
    public const string TokenizerInconsistent = "MASQ0212";

    /// <summary>The tokenizer lacks a token of the chat format.</summary>
    public const string ChatTokenMissing = "MASQ0213";
}
