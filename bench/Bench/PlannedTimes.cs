using System.Diagnostics;
using System.Globalization;
using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;

namespace MASQuant.Bench;

/// <summary>What <c>masquant plan</c> says a run takes beside what it took: layers of a real model's shape and omni-tiny, with few and with many tokens.</summary>
internal static class PlannedTimes
{
    private const double Limit = 1.5;

    /// <summary>Runs them, each in a process of its own, as people do: what an earlier one compiled makes the next faster. 0 when each took between planned/1.5 and 1.5 times that.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="folder">Receives checkpoints, calibration sets and artifacts.</param>
    public static int Run(string root, string folder)
    {
        Console.WriteLine("| run | planned | took | ratio | hold | |");
        Console.WriteLine("|---|---:|---:|---:|---|---|");
        return Enumerable.Range(0, Cases(root, folder).Count).Count(place =>
        {
            using var process = Process.Start("dotnet", [typeof(PlannedTimes).Assembly.Location, "plan", place.ToString(CultureInfo.InvariantCulture)]);
            process.WaitForExit();
            return process.ExitCode != 0;
        });
    }

    /// <summary>Runs one.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="folder">Receives its files.</param>
    /// <param name="place">Which one.</param>
    public static int RunOne(string root, string folder, int place)
    {
        var (name, create) = Cases(root, folder)[place];
        var job = create();
        var planned = Plan(job).Operations / MachineResources.MeasureSpeed();
        var start = Stopwatch.GetTimestamp();
        QuantizationPipeline.Run(job);
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var holds = took / planned is > 1 / Limit and < Limit;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {planned:F1} s | {took:F1} s | {took / planned:F2} | {1 / Limit:F2} … {Limit} | {(holds ? "holds" : "MISSES")} |"));
        return holds ? 0 : 1;
    }

    private static List<(string Name, Func<QuantizationJob> Job)> Cases(string root, string folder)
    {
        var shape = ModelShape.Find("3B")!;
        var cases = new List<(string Name, Func<QuantizationJob> Job)>();
        foreach (var effort in new[] { EffortKind.Fast, EffortKind.Standard })
        {
            cases.Add(($"omni-tiny, {effort}", () => OmniTiny(root, folder, effort)));
            cases.Add(($"a layer of 3B, 25600 tokens, {effort}", () => QuantizeLayer.Job(shape, 25600, 1, effort, folder)));
        }

        cases.Add(("two layers of 3B, 51200 tokens, Fast", () => QuantizeLayer.Job(shape, 51200, 2, EffortKind.Fast, folder)));
        return cases;
    }

    /// <summary>The plan of a job.</summary>
    public static QuantizationPlan Plan(QuantizationJob job)
    {
        using var checkpoint = Checkpoint.Open(job.ModelFolder);
        var config = ModelConfigReader.Read(checkpoint);
        var extent = CalibrationExtent.Of(checkpoint, config, CalibrationSet.Load(job.CalibrationFile, config).Conversations);
        return QuantizationPlan.Of(checkpoint, config, job.Options, extent.Part(job.Options.SamplesOf(extent.Samples)));
    }

    private static QuantizationJob OmniTiny(string root, string folder, EffortKind effort) => new()
    {
        ModelFolder = Path.Combine(root, "samples", "models", "omni-tiny"),
        CalibrationFile = Path.Combine(root, "samples", "data", "calibration.jsonl"),
        OutputFolder = Path.Combine(folder, "out"),
        WorkFolder = Path.Combine(folder, "work"),
        Name = "OmniTiny",
        Options = new QuantizationOptions { Effort = effort },
    };
}
