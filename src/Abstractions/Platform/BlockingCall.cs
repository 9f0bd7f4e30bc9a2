namespace MASQuant.Platform;

/// <summary>Calls of the system that may wait for ever, as to open a pipe that nobody writes: whoever has had enough goes on, and the thread that waits ends with the process.</summary>
internal static class BlockingCall
{
    /// <summary>Runs a call on a thread of its own.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> came first; the call goes on unheard.</exception>
    public static T Run<T>(Func<T> call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var running = Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        Task.WaitAny([running], cancellationToken);
        return running.GetAwaiter().GetResult();
    }
}
