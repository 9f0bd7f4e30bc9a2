using System.Diagnostics;
using System.Globalization;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests.Faults;

/// <summary>The test assembly as a program; test runners never call it. MOST limits how many failures there are of a kind, from the first possible to the last; without it there are all.
/// <c>faults RUN KIND… [MOST]</c>: RUN (<c>quantize-empty</c>, <c>quantize-full</c>, <c>quantize-none</c> by their cache; <c>build</c> and <c>build-served</c>, with a server; <c>load-artifact</c>, <c>load-checkpoint</c>, <c>answer</c>) with a failure of each KIND
/// (<c>file</c>, <c>disk</c>, <c>memory</c>, <c>clock-back</c>, <c>clock-ahead</c>) at its n-th call. <c>power-loss cache|none [MOST]</c>: the power is cut after the n-th step of a quantization.</summary>
internal static class Program
{
    private static readonly string[] Fast = ["--method", "RTN"];
    private static readonly string[] Thorough = ["--rank", "4"]; // all that takes memory

    private static int Main(string[] arguments)
    {
        NoCache.Set();
        var most = int.TryParse(arguments[^1], CultureInfo.InvariantCulture, out var limit) ? limit : int.MaxValue;
        return arguments switch
        {
            ["faults", var run, .. var kinds] => kinds.Where(Fault.Kinds.ContainsKey).Sum(kind => Faults(run, kind, most)) == 0 ? 0 : 1,
            ["power-loss", var cache, ..] => Power(cache == "cache", most) == 0 ? 0 : 1,
            _ => 2,
        };
    }

    private static int Faults(string name, string kind, int most)
    {
        using var model = new FaultCase(kind == "memory" ? Thorough : Fast);
        using var run = RunOf(name, model);
        var started = Stopwatch.GetTimestamp();
        var none = Fault.Kinds[kind](0);
        var wrong = Told("no failure", run.Run(none));
        var tried = 0;
        for (var first = 1; first <= none.Calls; first++)
        {
            if (IsChosen(first - 1, none.Calls - 1, most))
            {
                var fault = Fault.Kinds[kind](first);
                wrong += Told($"{first}", run.Run(fault).Select(problem => $"{fault.Failed}: {problem}"));
                tried++;
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}, {kind}: {none.Calls} calls, {tried} failures, {wrong} wrong, {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s"));
        return wrong;
    }

    private static int Power(bool cache, int most)
    {
        using var model = new FaultCase(Fast);
        var started = Stopwatch.GetTimestamp();
        var loss = new PowerLoss(model, cache);
        var wrong = Told("", loss.Run((step, steps) => IsChosen(step, steps, most)));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"power loss, {(cache ? "cache" : "no cache")}: {loss.Steps} steps, {loss.Disks} disks, {wrong} wrong, {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s"));
        return wrong;
    }

    private static IFaultRun RunOf(string name, FaultCase model) => name switch
    {
        "load-artifact" => new AnswerFaults(model.Artifact, model.Image, loaded: false),
        "load-checkpoint" => new AnswerFaults(RepositoryFiles.VlTiny, model.Image, loaded: false),
        "build" => new BuildFaults(model, served: false),
        "build-served" => new BuildFaults(model, served: true),
        "answer" => new AnswerFaults(model.Artifact, model.Image, loaded: true),
        _ => new QuantizeFaults(model, name["quantize-".Length..]),
    };

    // Of 0 … last so many evenly, and so many of the last eighth, where results get their names; both ends among them.
    private static bool IsChosen(int i, int last, int most) => IsOneOf(i, last, most) || IsOneOf(i - (last * 7L / 8), last - (last * 7L / 8), most);

    private static bool IsOneOf(long i, long last, long most) => i >= 0 && (most > last || i == 0 || i * (most - 1) / last != (i - 1) * (most - 1) / last);

    private static int Told(string where, IEnumerable<string> problems)
    {
        var count = 0;
        foreach (var problem in problems)
        {
            Console.WriteLine($"{where} {problem.TrimEnd()}");
            count++;
        }

        return count;
    }
}
