using System.CommandLine;
using MASQuant.Cli.Delivery;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Delivery.Caching;
using MASQuant.Diagnostics;
using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Tuning;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant tune</c>: schemes and ranks that keep budgets, chosen by measurement.</summary>
internal static class TuneCommand
{
    private const string DefaultOutput = "tuning";
    private const int DefaultPoints = 4;
    private static readonly Dictionary<string, string> Refusals = TuningJob.Tuned.Select(name => (name, "'tune' chooses it")).Append(("Method", "give it with '--method'")).ToDictionary();
    private static readonly string[] DefaultSchemes = ["W4A8", "W8A8"];

    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var model = CliOptions.Path("MODEL", "The checkpoint's folder.");
        var calibration = CliOptions.Text("--calibration", "FILE", "The calibration set, on which everything is measured.", required: true);
        var budgets = new BudgetOptions();
        var schemes = CliOptions.Words("--schemes", "LIST", [.. QuantizationScheme.All.Select(scheme => scheme.ToString())], DefaultSchemes, "The schemes to choose from, separated by commas.");
        var sweep = Sweep.CreateOption(
            "Chooses between values of an option of 'quantize', the first being the one to begin with: --sweep Alternations=0,1. Semicolons separate values that have commas; several sweeps give every combination, each taking one of the points.", Refusals);
        var points = CliOptions.Number("--points", DefaultPoints, value => value is >= 1 and <= 100, "1…100", "The most settings that are quantized for real.");
        var output = CliOptions.Written("--output", "DIR", $"Keeps measurements and artifacts, and gives back those of an earlier run. Default: {DefaultOutput}.");
        var share = ShareOptions.Point("Does this share of what machines can do apart, in the DIR that they share: measures its blocks or, when all are measured, quantizes its part of the sweep's combinations. The same command without it does the rest.");
        var report = CliOptions.Written("--report", "FILE", "Writes a self-contained HTML page: plots of bytes and SQNR, the table, what every input group got.");
        var json = CliOptions.Json("the chosen artifact with its figures, the item and the command that make it again");
        var cache = new CacheOptions();
        var subset = new SubsetOptions();
        var compute = new ComputeOption();
        var options = OptionTable.All.Where(option => !TuningJob.Tuned.Contains(option.Name)).Select(option => (option, QuantizeCommand.CreateOption(option))).ToArray();
        var command = new CliCommand("tune", "Chooses the scheme of every input group and the rank of every patch under budgets, by measured sensitivity, and proves the choice by quantizing. An interrupted run resumes.",
            "MODEL --calibration FILE BUDGET… [options]",
            "masquant tune models/omni-tiny --calibration data/calibration.jsonl --max-bytes 9500000",
            "masquant tune models/omni-tiny --calibration data/calibration.jsonl --min-sqnr-text 25 --min-sqnr-audio 24 --schemes W4A8,W8A8")
        { model, calibration, schemes, sweep, points, share, output, report, json };
        budgets.AddTo(command);
        cache.AddTo(command);
        subset.AddTo(command);
        compute.AddTo(command);
        foreach (var (_, option) in options)
        {
            command.Add(option);
        }

        command.Validators.Add(parsed =>
        {
            if (!budgets.AnyIn(parsed))
            {
                parsed.AddError($"Give a budget: {string.Join(", ", BudgetTable.All.Select(budget => budget.Switch))}.");
            }
        });
        command.SetAction(parse =>
        {
            var folder = parse.GetRequiredValue(model);
            var words = options.Where(pair => parse.GetValue(pair.Item2) is not null).ToDictionary(pair => pair.option.Name, pair => parse.GetValue(pair.Item2)!);
            var demands = budgets.Of(parse);
            return Run(console, new TuningJob(
                folder,
                parse.GetRequiredValue(calibration),
                subset.Of(parse),
                parse.GetValue(output) ?? DefaultOutput,
                ModelName.From(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))),
                [.. Sweep.Combine(parse.GetValue(sweep)!).Select(swept => OptionTable.Read(words.Concat(swept.Select(value => KeyValuePair.Create(value.Option, value.Value))).ToDictionary()))],
                [.. parse.GetValue(sweep)!.Select(swept => swept.Option)],
                [.. parse.GetValue(schemes)!.Select(name => QuantizationScheme.TryParse(name, out var scheme) ? scheme : default)],
                new TuningBudgets(demands.Budgets),
                demands.Evaluation,
                parse.GetValue(points))
            {
                ComputeAssembly = compute.Of(parse),
            }, cache.Of(parse), parse.GetValue(report), parse.GetValue(share), parse.GetValue(json), cancellationToken);
        });
        return command;
    }

    private static int Run(CommandConsole console, TuningJob job, CacheSettings caches, string? report, Share? share, bool json, CancellationToken cancellationToken)
    {
        var progress = new TuningReporter(console, job.Points);
        var delivery = new OutputDelivery(caches, new DeliveryReporter(console, progress.Clear));
        var run = new TuningRun(job, progress, Bring);
        try
        {
            if (share is { } own)
            {
                var measured = run.RunShare(own, cancellationToken);
                progress.Clear();
                console.Error.WriteLine($"Share {own} is done. {(measured ? "The same command without '--point' does the rest." : "When all shares are, the same command goes on with the sweep, and without '--point' to the end.")}");
                if (json)
                {
                    JsonAnswer.Write(console, answer =>
                    {
                        answer.WriteString("share", own.ToString());
                        answer.WriteBoolean("measured", measured);
                    });
                }

                return ExitCode.Done;
            }

            var search = run.Run(cancellationToken);
            progress.Clear();
            if (report is not null)
            {
                AtomicFile.Write(report, System.Text.Encoding.UTF8.GetBytes(TuningPage.Render(job, search)));
            }

            if (json)
            {
                TuningJson.Write(console, job, run, search);
            }
            else
            {
                Write(console, job, run, search);
            }

            return ExitCode.Done;
        }
        catch (OperationCanceledException)
        {
            progress.Clear();
            console.Error.WriteLine($"What is finished is kept in '{job.Output}'{(caches.Folder is { } cache ? $" and '{cache.Path}'" : "")}: the same command resumes.");
            throw;
        }
        catch
        {
            progress.Clear();
            throw;
        }

        void Bring(string step, QuantizationJob point, string key)
        {
            if (OutputDelivery.IsKept(point, key))
            {
                progress.Reuse(step);
                return;
            }

            progress.Begin(step);
            if (delivery.Keep(point, key, progress, cancellationToken))
            {
                progress.Finish();
            }
            else
            {
                progress.Take();
            }
        }
    }

    private static void Write(CommandConsole console, TuningJob job, TuningRun run, TuningSearch search)
    {
        var answer = console.Output;
        TuningTable.Of(job, search).Write(answer);
        answer.WriteLine();
        answer.WriteLine(TuningTable.Note);
        answer.WriteLine();
        TuningPlot.Write(answer, search.Model.Config.Modalities, search);
        if (search.Chosen is not { } chosen)
        {
            throw new MASQuantException(DiagnosticCodes.BudgetsNotReached, job.Model, TuningAnswer.Shortfall(job, search));
        }

        var options = job.OptionsOf(chosen, search.Model.Config.Modalities);
        answer.WriteLine();
        answer.WriteLine(TuningAnswer.Item(job, options));
        answer.WriteLine();
        answer.WriteLine(TuningAnswer.Command(job, options));
        console.Error.WriteLine($"The chosen artifact: {run.Artifacts[chosen.Key]}");
    }
}
