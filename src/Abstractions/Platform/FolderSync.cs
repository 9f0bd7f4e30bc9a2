using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MASQuant.Platform;

/// <summary>Names in a folder reach the disk by <c>fsync</c> of the folder, which .NET does not open. Windows keeps them in its journal and has no such call.</summary>
internal static partial class FolderSync
{
    private const int InputOutputError = 5; // EIO, on Linux and macOS
    private const int CloseOnExecLinux = 0x80000;
    private const int CloseOnExecMac = 0x1000000;

    /// <summary>Waits until the disk has a folder's names. A file system that knows no such call, as of some networks, is left alone.</summary>
    /// <exception cref="IOException">The disk fails.</exception>
    public static void Run(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var handle = Open(folder, OperatingSystem.IsLinux() ? CloseOnExecLinux : CloseOnExecMac);
        if (handle < 0)
        {
            return; // It may be written and not listed.
        }

        var error = Sync(handle) == 0 ? 0 : Marshal.GetLastPInvokeError();
        _ = Close(handle);
        if (error == InputOutputError)
        {
            throw new IOException($"The names in '{folder}' do not reach the disk: {Marshal.GetPInvokeErrorMessage(error)}.");
        }
    }

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int file);

    [UnsupportedOSPlatform("windows")]
    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
