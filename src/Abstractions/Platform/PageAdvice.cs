using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MASQuant.Platform;

/// <summary>Tells the system what to do with pages. What it refuses costs memory or time, and nothing else.</summary>
internal static partial class PageAdvice
{
    /// <summary>Memory comes in pages of 2 MB (<c>MADV_HUGEPAGE</c>, Linux).</summary>
    public const int HugePages = 14;

    /// <summary>A mapping's pages are given back, and come again from its file when they are read (<c>MADV_DONTNEED</c>).</summary>
    public const int DoNotNeed = 4;

    /// <summary>Advises on the whole pages of a range.</summary>
    /// <param name="start">The first byte.</param>
    /// <param name="count">The bytes.</param>
    /// <param name="pageBytes">The bytes of a page.</param>
    /// <param name="advice">What to do.</param>
    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("macos")]
    public static void Give(long start, long count, long pageBytes, int advice)
    {
        var first = (start + pageBytes - 1) / pageBytes * pageBytes;
        var length = ((start + count) / pageBytes * pageBytes) - first;
        if (length > 0)
        {
            _ = Advise((nint)first, (nuint)length, advice);
        }
    }

    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("macos")]
    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
