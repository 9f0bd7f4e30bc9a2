using System.Diagnostics;
using System.Globalization;

namespace MASQuant.Bench;

/// <summary>Measures each pair of a <see cref="Ratio"/> in turns, so that a drifting machine slows both alike, and compares medians.</summary>
internal static class RatioRunner
{
    private const int Rounds = 15;

    /// <summary>Prints a Markdown table; returns 0 when every ratio holds, otherwise 1.</summary>
    /// <param name="ratios">What to measure.</param>
    /// <param name="cpuTime">Take the time that the process's threads computed, divided by their number, instead of the clock: for a machine that others use too.</param>
    public static int Run(IReadOnlyList<Ratio> ratios, bool cpuTime)
    {
        Console.WriteLine("| ratio | measured | of | ratio | hold | |");
        Console.WriteLine("|---|---|---|---|---|---|");
        var holds = true;
        foreach (var ratio in ratios)
        {
            var (subject, baseline) = Measure(ratio, cpuTime);
            var quotient = subject / baseline;
            holds &= quotient >= ratio.Hold;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {ratio.Name} | {subject:G3} {ratio.Unit} | {baseline:G3} {ratio.Unit} | {quotient:F2} | ≥ {ratio.Hold} | {(quotient >= ratio.Hold ? "holds" : "MISSES")} |"));
        }

        return holds ? 0 : 1;
    }

    private static (double Subject, double Baseline) Measure(Ratio ratio, bool cpuTime)
    {
        var subject = new double[Rounds];
        var baseline = new double[Rounds];
        ratio.Subject();
        ratio.Baseline();
        for (var round = 0; round < Rounds; round++)
        {
            subject[round] = Seconds(ratio.Subject, ratio.SubjectThreads, cpuTime);
            baseline[round] = Seconds(ratio.Baseline, ratio.BaselineThreads, cpuTime);
        }

        return (ratio.Work / Median(subject), ratio.BaselineWork / Median(baseline));
    }

    private static double Seconds(Action action, int threads, bool cpuTime)
    {
        var start = Stopwatch.GetTimestamp();
        var computed = Environment.CpuUsage.TotalTime;
        action();
        return cpuTime ? (Environment.CpuUsage.TotalTime - computed).TotalSeconds / threads : Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }
}
