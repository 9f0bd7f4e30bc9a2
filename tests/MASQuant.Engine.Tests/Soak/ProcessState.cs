using System.Globalization;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Soak;

/// <summary>What a process holds when nothing runs in it and its garbage has been collected.</summary>
/// <param name="Resident">Bytes of its memory that are in use (VmRSS).</param>
/// <param name="Managed">Bytes of objects that are reachable.</param>
/// <param name="Descriptors">Open files, pipes and sockets; not what the runtime reads of the system now and then.</param>
/// <param name="Mappings">Mapped parts of files; not those of compiled code, which comes as it is used.</param>
internal sealed record ProcessState(long Resident, long Managed, IReadOnlyList<string> Descriptors, IReadOnlyList<string> Mappings)
{
    /// <summary>Of this process.</summary>
    public static ProcessState Now()
    {
        for (var pass = 0; pass < 2; pass++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        var status = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        var resident = long.Parse(status.AsSpan(6, status.Length - 8), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture) * 1024;
        return new ProcessState(resident, GC.GetTotalMemory(forceFullCollection: true), [.. OpenFiles.Descriptors().Where(IsOurs)], [.. OpenFiles.Mappings().Where(IsOurs)]);
    }

    private static bool IsOurs(string path) => !path.StartsWith("/proc/", StringComparison.Ordinal) && !path.StartsWith("/sys/", StringComparison.Ordinal) && !path.StartsWith("/memfd:", StringComparison.Ordinal);
}
