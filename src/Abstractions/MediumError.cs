namespace MASQuant;

/// <summary>Whose fault it is when a medium cannot be read.</summary>
internal static class MediumError
{
    /// <summary>Whether it is the file's: so is whatever a file makes a decoder or a library under it throw. That memory is short, or the caller has had enough, is not.</summary>
    public static bool IsOfTheFile(Exception error, CancellationToken cancellationToken = default)
        => error is not (MASQuantException or OutOfMemoryException) && !(error is OperationCanceledException && cancellationToken.IsCancellationRequested);
}
