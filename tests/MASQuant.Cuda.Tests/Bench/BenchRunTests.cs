using System.Globalization;
using MASQuant.Bench.Cuda;
using MASQuant.Ptx;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Bench;

/// <summary>The benchmark itself, executed case by case in the interpreter on small shapes: what a GPU is asked to run, runs.</summary>
[Trait("Lane", "slow")]
public sealed class BenchRunTests : IDisposable
{
    // Heads of 32, groups of 128, and everything else as small as it goes. Tokens take every kernel: decode8, decode16, prefill, and on Hopper the wide ones.
    private static readonly BenchPlan Small = new()
    {
        Models = [new("S", ModelShape.Of(128, 1, 128, 4, 1, vocabulary: 32))],
        Tokens = new TokenCounts(1, 9, 17, 66, 70),
        Prompt = 66,
        Room = 16,
        Batches = [1, 3],
        Replays = 1,
        GraphMicroseconds = 1000,
        CopyBytes = 4096,
    };

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void Every_case_runs_and_every_verdict_finds_its_cases(int capability)
    {
        var counting = new CountingDevice(new EmulatedDevice { ComputeCapability = capability });
        var (device, log) = (new EmulatedBench(capability, counting), new StringWriter());
        var (csv, markdown) = (_folder.File("figures.csv"), _folder.File("figures.md"));
        var run = new BenchRun(device, new FilledProducts(counting), Options("--csv", csv, "--markdown", markdown), Small, FullSizeChecks.Of(Small.Checked), log);
        Assert.True(run.Run() == BenchRun.Done, log.ToString());

        // All that is planned is measured, but INT8 of one token, alone and in parts, for which the library has no algorithm.
        Assert.Equal(run.Results.Planned, run.Results.Figures.Count + (2 * 4));
        Assert.Contains($"[{run.Results.Planned}/{run.Results.Planned}, ", log.ToString(), StringComparison.Ordinal);
        Assert.All(run.Results.Figures.Values, figure => Assert.True(figure.Microseconds > 0));
        Assert.All(Verdicts.Of(run.Results, Small, capability, 1e12), verdict => Assert.True(verdict.Measured > 0, verdict.Name));
        Assert.All(run.Results.Figures.Where(pair => ModelCases.Of(Small).Contains(pair.Key)), pair => Assert.True(pair.Value.PeakBytes > 32 * 128 * 2));
        Assert.Equal(0, counting.LentBytes);

        var rows = File.ReadAllLines(csv).Select(line => line.Split(',')).ToArray();
        Assert.Equal(["device", "driver", "kernel", "shape", "tokens", "microseconds", "peak_mib"], rows[0]);
        Assert.Equal(run.Results.Figures.Keys, rows.Skip(1).Select(row => new BenchCase(row[2], row[3], int.Parse(row[4], CultureInfo.InvariantCulture))));
        Assert.All(rows, row => Assert.Equal(7, row.Length));
        var table = File.ReadAllText(markdown);
        foreach (var verdict in Verdicts.Of(run.Results, Small, capability, 1e12).SkipLast(1))
        {
            Assert.Contains(verdict.Row, table, StringComparison.Ordinal);
        }

        foreach (var shape in Small.Models.SelectMany(model => model.Linears).Select(linear => linear.Name).Concat(["32 logits, draw T=1 k=20 p=0.75", "S, W4A8 layer", "S, W4A16 |"]))
        {
            Assert.Contains($"| {shape}", table, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(80)]
    [InlineData(90)]
    public void The_full_plans_verdicts_find_their_cases(int capability)
    {
        var plan = BenchPlan.Full;
        BenchCase[] cases = [.. KernelCases.Of(plan), .. LibraryCases.Of(plan)];
        var results = new Results(cases, cases, TextWriter.Null);
        foreach (var done in cases)
        {
            results.Add(done, 1);
        }

        Assert.All(Verdicts.Of(results, plan, capability, 1e12), verdict => Assert.False(double.IsNaN(verdict.Measured), verdict.Name));
        Assert.Throws<ArgumentException>("wanted", () => results.Find("W4A8", "7B gate", 1));
    }

    [Fact]
    public void An_interrupted_run_writes_what_it_has()
    {
        using var end = new CancellationTokenSource();
        var (log, csv) = (new Watched(line => { if (line.StartsWith("[7/", StringComparison.Ordinal)) { end.Cancel(); } }), _folder.File("part.csv"));
        var run = new BenchRun(new EmulatedBench(80), null, Options("kernels", "--csv", csv), Small, [], log);
        Assert.Equal(BenchRun.Interrupted, run.Run(end.Token));
        Assert.Equal(7, run.Results.Figures.Count);
        Assert.Equal(8, File.ReadAllLines(csv).Length);
    }

    [Fact]
    public void A_case_that_fails_ends_the_run_with_what_it_has()
    {
        var (csv, log) = (_folder.File("failed.csv"), new StringWriter());
        var run = new BenchRun(new EmulatedBench(80) { FailsAfter = 4 }, null, Options("kernels", "--csv", csv), Small, [], log);
        Assert.Equal(BenchRun.Failed, run.Run());
        Assert.Contains("The clock stands still.", log.ToString(), StringComparison.Ordinal);
        Assert.Equal(run.Results.Figures.Count + 1, File.ReadAllLines(csv).Length);
    }

    [Fact]
    public void What_fails_its_check_is_not_timed()
    {
        var (log, csv) = (new StringWriter(), _folder.File("none.csv"));
        var run = new BenchRun(new EmulatedBench(80), null, Options("--csv", csv), Small, [new("broken", _ => throw new CheckFailedException("It is wrong."))], log);
        Assert.Equal(BenchRun.Failed, run.Run());
        Assert.Contains("FAILED broken\n    It is wrong.", log.ToString(), StringComparison.Ordinal);
        Assert.Empty(run.Results.Figures);
        Assert.False(File.Exists(csv));
    }

    [Fact]
    public void Checks_alone_time_nothing()
    {
        var run = new BenchRun(new EmulatedBench(80), null, Options("check", "--skip", "slow"), Small, [new("good", _ => { }), new("slow", _ => Assert.Fail("It is skipped."))], TextWriter.Null);
        Assert.Equal(BenchRun.Done, run.Run());
        Assert.Equal(0, run.Results.Planned);
    }

    [Fact]
    public void No_check_is_no_success()
        => Assert.Equal(BenchRun.NothingRun, new BenchRun(new EmulatedBench(80), null, Options("check", "--only", "else"), Small, [new("good", _ => { })], TextWriter.Null).Run());

    [Fact]
    public void A_verdict_is_what_its_bounds_say()
    {
        Assert.Equal("stretch", new Verdict("", 2, 1, 2, AtMost: false).Judgement);
        Assert.Equal("holds", new Verdict("", 1.9, 1, 2, AtMost: false).Judgement);
        Assert.Equal("MISSES", new Verdict("", 0.9, 1, 2, AtMost: false).Judgement);
        Assert.Equal("stretch", new Verdict("", 20, 24, 20, AtMost: true).Judgement);
        Assert.Equal("MISSES", new Verdict("", 25, 24, 20, AtMost: true).Judgement);
        Assert.Equal("holds", new Verdict("", 4, 3, double.NaN, AtMost: false).Judgement);
        Assert.Equal("", new Verdict("", double.NaN, 3, 4, AtMost: false).Judgement);
        Assert.Equal("", new Verdict("", 1, double.NaN, double.NaN, AtMost: false).Judgement);
    }

    [Theory]
    [InlineData("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version:  gcc version 11.4.0", "550.54.15")]
    [InlineData("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124  Release Build", "570.124")]
    [InlineData("nothing", null)]
    public void The_drivers_release_is_read(string text, string? expected) => Assert.Equal(expected, GpuBenchDevice.ReleaseOf(text));

    private static BenchOptions Options(params string[] words)
    {
        Assert.True(BenchOptions.TryParse(words, out var options, out var error), error);
        return options;
    }

    /// <summary>Tells of every line.</summary>
    private sealed class Watched(Action<string> told) : StringWriter
    {
        public override void WriteLine(string? value) => told(value!);
    }
}
