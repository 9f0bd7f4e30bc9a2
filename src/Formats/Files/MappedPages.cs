using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MASQuant.Formats.Files;

/// <summary>Gives pages of a file's mapping back: they cease to count as this process's memory, and come again from the file when they are read.</summary>
internal static unsafe partial class MappedPages
{
    private const int DoNotNeed = 4; // MADV_DONTNEED, on Linux and macOS

    /// <summary>Gives back the whole pages of a range of a read-only mapping, whoever reads it; where the system has no such call, nothing happens.</summary>
    /// <param name="start">The first byte.</param>
    /// <param name="count">The bytes.</param>
    public static void Discard(byte* start, long count)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return;
        }

        var page = (long)Environment.SystemPageSize;
        var first = ((long)start + page - 1) / page * page;
        var length = ((long)start + count) / page * page - first;
        if (length > 0)
        {
            _ = Advise((nint)first, (nuint)length, DoNotNeed); // An advice: what is refused costs memory and nothing else.
        }
    }

    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("macos")]
    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
