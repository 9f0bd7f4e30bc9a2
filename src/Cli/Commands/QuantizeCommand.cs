using System.CommandLine;
using MASQuant.Cli.Delivery;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Delivery.Caching;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Platform;
using MASQuant.Quantization;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant quantize</c>: a checkpoint becomes an artifact and its manifest.</summary>
internal static class QuantizeCommand
{
    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var model = CliOptions.Path("MODEL", "The checkpoint's folder.");
        var calibration = CliOptions.Text("--calibration", "FILE", "The calibration set: a JSON Lines file, one conversation per line. Every modality of the model needs samples.", required: true);
        var output = CliOptions.Written("--output", "DIR", "Receives NAME.masquant.safetensors and NAME.masquant.json; created when missing.", required: true);
        var name = CliOptions.Text("--name", "NAME", "The model's name. Default: from the checkpoint's folder, omni-tiny → OmniTiny.");
        var report = CliOptions.Written("--report", "FILE", "Writes a self-contained HTML page: sizes, SQNR by layer and modality, smoothing misalignment, effective ranks, spectra, time by stage.");
        var blocks = ShareOptions.Blocks("Quantizes these decoder blocks alone and leaves a part in DIR, which 'masquant join' makes an artifact of: so several machines share a model. Their inputs come from the full-precision blocks before them.");
        var cache = new CacheOptions();
        var subset = new SubsetOptions();
        var compute = new ComputeOption();
        var options = OptionTable.All.Select(option => (option, CreateOption(option))).ToArray();
        var budgets = new BudgetOptions();
        var json = CliOptions.Json("name, paths and bytes of the artifact, or with --blocks of the part");
        var command = new CliCommand("quantize", "Quantizes a checkpoint. An interrupted run resumes with the same command; equal inputs give equal bytes.",
            "MODEL --calibration FILE --output DIR [options]",
            "masquant quantize models/omni-tiny --scheme W4A8 --calibration data/calibration.jsonl --output out",
            "masquant quantize models/omni-tiny --scheme W8A8 --method SmoothQuant --calibration data/calibration.jsonl --output out --name Baseline",
            "masquant quantize models/omni-tiny --calibration data/calibration.jsonl --output parts --blocks 0/3")
        { model, calibration, output, name, blocks, report, json };
        cache.AddTo(command);
        subset.AddTo(command);
        compute.AddTo(command);
        foreach (var (_, option) in options)
        {
            command.Add(option);
        }

        budgets.AddTo(command);
        command.Validators.Add(parsed =>
        {
            if (parsed.GetResult(blocks) is null)
            {
                return;
            }

            if (budgets.AnyIn(parsed) || parsed.GetResult(report) is not null)
            {
                parsed.AddError("Budgets and '--report' need the whole model. Leave them out of 'quantize --blocks' and give them to 'masquant join'.");
            }

            if (cache.IsIn(parsed))
            {
                parsed.AddError("A part is in no cache. Leave '--cache' out.");
            }
        });
        command.SetAction(parse =>
        {
            var words = options.Where(pair => parse.GetValue(pair.Item2) is not null).ToDictionary(pair => pair.option.Name, pair => parse.GetValue(pair.Item2)!);
            var folder = parse.GetRequiredValue(model);
            var modelName = ModelName.From(parse.GetValue(name) is { Length: > 0 } given ? given : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))));
            var demands = budgets.Of(parse);
            var job = new QuantizationJob
            {
                ModelFolder = folder,
                CalibrationFile = parse.GetRequiredValue(calibration),
                Subset = subset.Of(parse),
                ComputeAssembly = compute.Of(parse),
                OutputFolder = parse.GetRequiredValue(output),
                Name = modelName,
                WorkFolder = "",
                Options = OptionTable.Read(words),
            };
            if (parse.GetValue(blocks) is { } choice)
            {
                return QuantizePart.Run(console, job, choice, parse.GetValue(json), cancellationToken);
            }

            using var alone = OutputLock.Take(job.OutputFolder, job.Name, new DeliveryReporter(console, () => { }), cancellationToken);
            var manifest = Run(console, job, cache.Of(parse), cancellationToken);
            return FinishedModel.Answer(console, job, manifest, demands, parse.GetValue(report), parse.GetValue(json), cancellationToken);
        });
        return command;
    }

    /// <summary>An option of the table as a switch, its values checked while parsing.</summary>
    public static Option<string> CreateOption(QuantizationOption option)
    {
        var initial = option.Default is { Length: > 0 } text ? $" Default: {text}." : "";
        var result = CliOptions.Text(option.Switch, "VALUE", $"{option.Description} Allowed: {option.Values}.{initial}");
        result.Validators.Add(parsed =>
        {
            var value = parsed.Tokens.Count > 0 ? parsed.Tokens[^1].Value : "";
            if (value.Length > 0 && option.Apply(new QuantizationOptions(), value) is null)
            {
                parsed.AddError($"'{value}' is not allowed for '{option.Switch}'. {option.Refusal(value)}");
            }
        });
        string[] words = [.. option.Values.Split(", ").Where(word => option.Apply(new QuantizationOptions(), word) is not null)];
        result.CompletionSources.Add(_ => words);
        return result;
    }

    private static Manifest Run(CommandConsole console, QuantizationJob job, CacheSettings caches, CancellationToken cancellationToken)
    {
        var started = Clock.Current.GetTimestamp();
        var progress = new QuantizationReporter(console);
        using (var checkpoint = job.OpenCheckpoint())
        {
            CheckpointCheck.Warn(checkpoint, ModelConfigReader.Read(checkpoint), console.Warn);
        }

        var delivery = new OutputDelivery(caches, new DeliveryReporter(console, progress.Clear));
        progress.Follow(() => delivery.Bring(job, () => QuantizationPipeline.KeyOf(job, cancellationToken), progress, cancellationToken), () => delivery.Blocks);
        var manifest = ManifestFile.Read(Path.Combine(job.OutputFolder, job.Name + ModelFiles.ManifestSuffix));
        QuantizationSummary.Write(console, job, manifest, Clock.Current.GetElapsedTime(started));
        return manifest;
    }
}
