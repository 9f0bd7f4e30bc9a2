using System.CommandLine;
using MASQuant.Cli.Completion;
using MASQuant.Cli.Delivery;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Platform;
using MASQuant.Quantization.Parts;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant join</c>: parts that <c>quantize --blocks</c> made become an artifact and its manifest.</summary>
internal static class JoinCommand
{
    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var model = CliOptions.Path("MODEL", "The checkpoint's folder, for what is not quantized.");
        var parts = new Argument<string[]>("PARTS") { Description = "Parts, or folders that hold them. Together they must have every block once; their order means nothing.", Arity = ArgumentArity.OneOrMore, CompletionSources = { PathCompletions.Of } };
        var output = CliOptions.Written("--output", "DIR", "Receives NAME.masquant.safetensors and NAME.masquant.json; created when missing.", required: true);
        var report = CliOptions.Written("--report", "FILE", "Writes the page that 'quantize --report' writes.");
        var budgets = new BudgetOptions();
        var json = CliOptions.Json("name, paths and bytes of the artifact");
        var command = new CliCommand("join", "Joins the parts that 'quantize --blocks' made into an artifact. Equal parts give equal bytes.",
            "MODEL PARTS… --output DIR [options]",
            "masquant join models/omni-tiny parts --output out",
            "masquant join models/omni-tiny parts/OmniTiny.blocks-000-002.masquant.part parts/OmniTiny.blocks-003-005.masquant.part --output out")
        { model, parts, output, report, json };
        budgets.AddTo(command);
        command.SetAction(parse =>
        {
            var started = Clock.Current.GetTimestamp();
            var demands = budgets.Of(parse);
            var set = PartSet.Open(parse.GetRequiredValue(parts), cancellationToken);
            var job = new QuantizationJob
            {
                ModelFolder = parse.GetRequiredValue(model),
                CalibrationFile = "",
                OutputFolder = parse.GetRequiredValue(output),
                Name = set.Model.Name,
                WorkFolder = "",
            };
            using var alone = OutputLock.Take(job.OutputFolder, job.Name, new DeliveryReporter(console, () => { }), cancellationToken);
            var manifest = OutputDelivery.Join(job, set, cancellationToken);
            QuantizationSummary.Write(console, job, manifest, Clock.Current.GetElapsedTime(started));
            return FinishedModel.Answer(console, job, manifest, demands, parse.GetValue(report), parse.GetValue(json), cancellationToken);
        });
        return command;
    }
}
