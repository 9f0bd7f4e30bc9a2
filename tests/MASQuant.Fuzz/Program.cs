using System.Globalization;
using SharpFuzz;

namespace MASQuant.Fuzz;

/// <summary>The test assembly as a program: <c>TARGET|all [--inputs N] [--seed N]</c> runs mutated inputs and prints the figures; <c>TARGET FILE</c> reads one; <c>afl TARGET</c> is for AFL++. Test runners never call it.</summary>
internal static class Program
{
    private const string Usage = "TARGET|all [--inputs N] [--seed N] | TARGET FILE | afl TARGET";

    private static int Main(string[] arguments)
    {
        using var targets = new FuzzTargets();
        switch (arguments)
        {
            case ["afl", var name]:
                Fuzzer.OutOfProcess.Run(stream => Guide(targets[name], Bytes(stream)));
                return 0;
            case [var name, var file] when File.Exists(file):
                var run = new FuzzRun(targets[name], 0);
                run.Check(File.ReadAllBytes(file));
                Console.WriteLine(run.Findings is [var (_, problem), ..] ? problem : "It ends as it should.");
                return run.Findings.Count;
            case [var name, .. var options]:
                return Run(name == "all" ? targets.All : [targets[name]], Number(options, "--inputs", 100_000), Number(options, "--seed", 1));
            default:
                Console.Error.WriteLine($"{Usage}\nTargets: {string.Join(", ", targets.All.Select(target => target.Name))}");
                return 1;
        }
    }

    private static int Run(IReadOnlyList<FuzzTarget> targets, int inputs, int seed)
    {
        Console.WriteLine("| target | inputs | read to the end | seconds of processors | slowest, ms | largest allocation, kB | findings |\n|---|---|---|---|---|---|---|");
        var found = 0;
        foreach (var target in targets)
        {
            var (run, time) = (new FuzzRun(target, seed), Environment.CpuUsage.TotalTime);
            run.Run(0, inputs);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {target.Name} | {inputs} | {run.Values} | {(Environment.CpuUsage.TotalTime - time).TotalSeconds:F0} | {run.Slowest * 1000:F1} | {run.MostAllocated / 1000} | {run.Findings.Count} |"));
            found += run.Findings.Count;
            Keep(target, run);
        }

        return found > 0 ? 1 : 0;
    }

    // One of each kind, the shortest.
    private static void Keep(FuzzTarget target, FuzzRun run)
    {
        foreach (var kind in run.Findings.GroupBy(finding => string.Concat(finding.Problem.Where(letter => !char.IsDigit(letter)))))
        {
            var (input, problem) = kind.MinBy(finding => finding.Input.Length);
            var file = Path.Combine(Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "masquant-findings", target.Name)).FullName, Formats.Files.ContentHash.OfText(problem)[..12]);
            File.WriteAllBytes(file, input);
            Console.WriteLine($"{kind.Count()} × {problem}\n    {file}");
        }
    }

    // A code is an end as good as any; what else is thrown ends the process, which is what AFL++ looks for. What no checksum holds back is found at once.
    private static void Guide(FuzzTarget target, byte[] input)
    {
        try
        {
            target.Read(target.Repair?.Invoke(input) ?? input);
        }
        catch (MASQuantException)
        {
        }
    }

    private static byte[] Bytes(Stream stream)
    {
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static int Number(string[] options, string name, int fallback)
        => Array.IndexOf(options, name) is >= 0 and var at && at + 1 < options.Length ? int.Parse(options[at + 1], CultureInfo.InvariantCulture) : fallback;
}
