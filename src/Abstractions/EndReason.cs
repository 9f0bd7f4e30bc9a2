namespace MASQuant;

/// <summary>Why an answer has ended.</summary>
public enum EndReason
{
    /// <summary>The model gave a token that ends answers.</summary>
    StopToken,

    /// <summary>One of <see cref="GenerationOptions.StopStrings"/> came; the answer ends before it.</summary>
    StopString,

    /// <summary>It has <see cref="GenerationOptions.MaxTokens"/>, or prompt and answer fill the model's positions; it may be cut off.</summary>
    Length,

    /// <summary>It cannot go on; <see cref="BatchPiece.Error"/> says why.</summary>
    Failed,
}
