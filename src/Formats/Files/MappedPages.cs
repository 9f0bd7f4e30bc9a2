using MASQuant.Platform;

namespace MASQuant.Formats.Files;

/// <summary>Gives pages of a file's mapping back: they cease to count as this process's memory, and come again from the file when they are read.</summary>
internal static unsafe class MappedPages
{
    /// <summary>Gives back the whole pages of a range of a read-only mapping, whoever reads it; where the system has no such call, nothing happens.</summary>
    /// <param name="start">The first byte.</param>
    /// <param name="count">The bytes.</param>
    public static void Discard(byte* start, long count)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            PageAdvice.Give((long)start, count, Environment.SystemPageSize, PageAdvice.DoNotNeed);
        }
    }
}
