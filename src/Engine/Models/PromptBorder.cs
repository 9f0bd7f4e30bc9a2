using MASQuant.Diagnostics;

namespace MASQuant.Engine.Models;

/// <summary>The border of one prompt: whatever its text and media make our code or a library throw, or that memory is short for them, is that prompt's error, with a code.</summary>
internal static class PromptBorder
{
    /// <summary>Runs what concerns one prompt alone.</summary>
    /// <exception cref="MASQuantException">That of <paramref name="prepare"/>, or MASQ0924 in place of any other.</exception>
    public static T Run<T>(Func<T> prepare)
    {
        try
        {
            return prepare();
        }
        catch (Exception error) when (error is not (MASQuantException or OperationCanceledException or ObjectDisposedException))
        {
            throw error is OutOfMemoryException memory ? MemoryExhausted(memory) : new MASQuantException(DiagnosticCodes.PromptUnusable, null,
                $"The prompt cannot be prepared: {error.Message} Change what is unusual about it; report a defect where it should be answered.", error);
        }
    }

    /// <summary>What to throw where memory ends for one prompt: MASQ0924.</summary>
    public static MASQuantException MemoryExhausted(OutOfMemoryException error) => new(DiagnosticCodes.PromptUnusable, null,
        $"The prompt needs more memory than there is: {error.Message} Give fewer or smaller media, or a lower limit (ModelOptions.Limits).", error);
}
