using System.Globalization;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Peers;

/// <summary>What is measured on.</summary>
internal static class Machine
{
    /// <summary>Beyond this portion of the cores in others' use nothing is measured.</summary>
    public const double MostBusy = 0.1;

    /// <summary>The processor, by Linux's word, and what its instruction sets are here.</summary>
    public static string Describe()
    {
        var lines = File.ReadAllLines("/proc/cpuinfo");
        string Of(string name) => lines.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "?";
        var flags = Of("flags").Split(' ');
        return $"{Of("model name")} (family {Of("cpu family")} model {Of("model")}; {string.Join(", ", flags.Where(flag => flag is "avx2" or "avx512f" or "avx512_vnni" or "avx_vnni" or "avx512_bf16" or "amx_int8"))}; .NET: AVX-512 {Avx512F.IsSupported}, AVX-VNNI {AvxVnni.IsSupported})";
    }

    /// <summary>The portion of all cores that is in use while this process sleeps.</summary>
    public static double Busy(TimeSpan time)
    {
        var (idle, all) = Ticks();
        Thread.Sleep(time);
        var (idleNow, allNow) = Ticks();
        return 1 - ((double)(idleNow - idle) / Math.Max(1, allNow - all));
    }

    /// <summary>Memory that can be taken, in bytes.</summary>
    public static long Available() => Of(File.ReadAllLines("/proc/meminfo"), "MemAvailable");

    /// <summary>This process's own memory and its mapped files, in bytes.</summary>
    public static (long Own, long Mapped) Memory()
    {
        var status = File.ReadAllLines("/proc/self/status");
        return (Of(status, "RssAnon"), Of(status, "RssFile"));
    }

    private static long Of(string[] lines, string name)
        => long.Parse(lines.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;

    private static (long Idle, long All) Ticks()
    {
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8).Select(long.Parse).ToArray();
        return (ticks[3] + ticks[4], ticks.Sum());
    }
}
