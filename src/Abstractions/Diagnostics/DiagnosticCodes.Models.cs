namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>The media given do not correspond to the placeholders of the prompt.</summary>
    public const string PlaceholderMismatch = "MASQ0920";

    /// <summary>Prompt and answer are longer than the model's positions.</summary>
    public const string SequenceTooLong = "MASQ0921";

    /// <summary>The prompt holds a medium that the model cannot take.</summary>
    public const string UnsupportedModality = "MASQ0922";

    /// <summary>A token id that the model's embedding has no row for.</summary>
    public const string TokenOutsideEmbedding = "MASQ0923";

    /// <summary>A prompt whose preparation fails for a reason that no other code covers.</summary>
    public const string PromptUnusable = "MASQ0924";

    /// <summary>More prompts wait for their answers than the limit allows.</summary>
    public const string TooManyWaiting = "MASQ0925";
}
