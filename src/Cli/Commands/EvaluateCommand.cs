using System.CommandLine;
using MASQuant.Cli.Completion;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Evaluation.Reports.Charts;
using MASQuant.Evaluation.Scores;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant evaluate</c>: how far quantized models are from the original.</summary>
internal static class EvaluateCommand
{
    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var model = CliOptions.Path("MODEL", "The checkpoint's folder: the reference.");
        var rest = new Argument<string[]>("[ARTIFACT…] DATA.jsonl")
        {
            Arity = new ArgumentArity(1, 1000),
            Description = "The models to compare, then the data: conversations, each ending with the expected answer. 'task' groups them.",
            CompletionSources = { PathCompletions.Of },
        };
        var options = new EvaluationOptions();
        var calibration = CliOptions.Text("--calibration", "FILE", "The calibration set, to warn of samples in both. Without it, the file of the artifact's manifest is looked for beside DATA and the artifact.");
        var quantized = new Option<bool>("--quantized-reference") { Description = "MODEL may be an artifact: the others are compared with it, not with full precision." };
        var device = CliOptions.Device();
        var command = new CliCommand("evaluate", "Compares models with a full-precision one: divergence, agreement, perplexity, errors of generated answers, per task and modality, with 95 % intervals.",
            "MODEL [ARTIFACT…] DATA.jsonl [options]",
            "masquant evaluate models/omni-tiny out/OmniTiny.masquant.safetensors data/eval.jsonl",
            "masquant evaluate models/omni-tiny out/A.masquant.safetensors out/B.masquant.safetensors data/eval.jsonl --no-generate --json")
        { model, rest };
        options.AddTo(command);
        command.Add(calibration);
        command.Add(quantized);
        command.Add(device);
        command.SetAction(parse =>
        {
            var paths = parse.GetRequiredValue(rest);
            var job = new EvaluationJob(parse.GetRequiredValue(model), paths[..^1], paths[^1], options.Limit(parse), options.MaxTokens(parse), parse.GetValue(calibration), parse.GetValue(device)) { Limits = options.Limits.Of(parse), QuantizedReference = parse.GetValue(quantized) };
            var results = EvaluationReporter.Follow(console, job, cancellationToken);
            var report = new Report(
                [EvaluationTables.Tasks(job, results), EvaluationTables.Modalities(results)],
                EvaluationTables.Note,
                EvaluationJson.Of(job, results),
                () => EvaluationPage.Render(job, results, ChartStyle.Of));
            options.Write(parse, report, console);
            return ExitCode.Done;
        });
        return command;
    }
}
