using MASQuant.Diagnostics;
using MASQuant.Platform;

namespace MASQuant.Delivery.Locks;

/// <summary>Locks that the operating system frees when their process dies. A lock is a file that stays; its time tells when it was last taken.</summary>
public static class FileLock
{
    private const int PollMilliseconds = 100;

    // A file that somebody else holds: Windows' sharing and lock violations, EAGAIN of Linux and of macOS.
    private static readonly int[] Held = [unchecked((int)0x80070020), unchecked((int)0x80070021), 11, 35];

    /// <summary>Takes the lock, or null when somebody holds it.</summary>
    /// <exception cref="MASQuantException">MASQ0111: nobody holds it and it cannot be taken all the same, as where nothing may be written; waiting would not help.</exception>
    public static FileStream? TryTake(string file)
    {
        try
        {
            FileSystem.Current.CreateFolder(Path.GetDirectoryName(file)!);
            return FileSystem.Current.Open(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (Held.Contains(exception.HResult))
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MASQuantException(DiagnosticCodes.FileNotWritable, file, $"The lock cannot be taken: {exception.Message.TrimEnd('.')}. Check the folder's permissions and free space.", exception);
        }
    }

    /// <summary>Waits for the lock. Calls <paramref name="waiting"/> once when there is something to wait for.</summary>
    /// <exception cref="MASQuantException">MASQ0111: it cannot be taken although nobody holds it.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    public static FileStream Take(string file, Action? waiting, CancellationToken cancellationToken)
    {
        for (var first = true; ; first = false)
        {
            if (TryTake(file) is { } taken)
            {
                return taken;
            }

            if (first)
            {
                waiting?.Invoke();
            }

            cancellationToken.WaitHandle.WaitOne(PollMilliseconds);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
