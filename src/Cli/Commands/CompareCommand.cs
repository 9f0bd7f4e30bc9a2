using System.CommandLine;
using MASQuant.Cli.Delivery;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Delivery.Caching;
using MASQuant.Evaluation.Comparison;
using MASQuant.Evaluation.Scores;
using MASQuant.Quantization;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant compare</c>: every method at every scheme, quantized and evaluated in one run.</summary>
internal static class CompareCommand
{
    private const string DefaultOutput = "comparison";

    // From the simplest on; the last name, Custom, is no preset.
    private static readonly string[] Methods = [.. QuantizationMethod.Names.SkipLast(1).Reverse()];
    private static readonly Dictionary<string, string> Lists = new() { ["Method"] = "list its values with '--methods'", ["Scheme"] = "list its values with '--schemes'" };
    private static readonly string[] DefaultSchemes = ["W8A8", "W4A8", "W4A6"];

    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var model = CliOptions.Path("MODEL", "The checkpoint's folder.");
        var data = CliOptions.Path("DATA.jsonl", "Conversations, each ending with the expected answer. 'task' groups them.");
        var calibration = CliOptions.Text("--calibration", "FILE", "The calibration set.", required: true);
        var methods = CliOptions.Words("--methods", "LIST", Methods, Methods, "The methods, separated by commas.");
        var schemes = CliOptions.Words("--schemes", "LIST", [.. QuantizationScheme.All.Select(scheme => scheme.ToString())], DefaultSchemes, "The schemes, separated by commas.");
        var output = CliOptions.Written("--output", "DIR", $"Receives the artifacts, and gives back those that an earlier run left. Default: {DefaultOutput}.");
        var sweep = Sweep.CreateOption(
            "Quantizes once for every value of an option of 'quantize': --sweep Rank=0,8,16. Semicolons separate values that have commas. One value fixes the option; several sweeps give every combination.", Lists);
        var share = ShareOptions.Point("Quantizes this share of the models into the DIR that machines share, answers with their paths and evaluates nothing. The same command without it finds them there.");
        var cache = new CacheOptions();
        var subset = new SubsetOptions();
        var compute = new ComputeOption();
        var options = new EvaluationOptions();
        var command = new CliCommand("compare", "Quantizes a checkpoint by several methods and schemes and compares all of them with full precision. Reruns reuse what is there and give the same figures.",
            "MODEL DATA.jsonl --calibration FILE [options]",
            "masquant compare models/omni-tiny data/eval.jsonl --calibration data/calibration.jsonl --markdown table.md",
            "masquant compare models/omni-tiny data/eval.jsonl --calibration data/calibration.jsonl --methods RTN,MASQuant --schemes W4A8 --samples 64 --subset-seed 1",
            "masquant compare models/omni-tiny data/eval.jsonl --calibration data/calibration.jsonl --methods MASQuant --schemes W4A8 --sweep Rank=0,8,16,32 --sweep Epochs=0,2")
        { model, data, calibration, methods, schemes, sweep, share, output };
        cache.AddTo(command);
        subset.AddTo(command);
        compute.AddTo(command);
        options.AddTo(command);
        command.SetAction(parse =>
        {
            var limits = options.Limits.Of(parse);
            var basis = new QuantizationJob
            {
                ModelFolder = parse.GetRequiredValue(model),
                CalibrationFile = parse.GetRequiredValue(calibration),
                Subset = subset.Of(parse),
                ComputeAssembly = compute.Of(parse),
                OutputFolder = parse.GetValue(output) ?? DefaultOutput,
                Name = "",
                WorkFolder = "",
                Options = new QuantizationOptions { MinPixels = limits.MinPixels, MaxPixels = limits.MaxPixels, MaxFramesPerSecond = limits.MaxFramesPerSecond, MaxFrames = limits.MaxFrames },
            };
            var combinations = Sweep.Combine(parse.GetValue(sweep)!);
            ComparedModel[] models = [.. parse.GetValue(schemes)!.SelectMany(scheme => parse.GetValue(methods)!.SelectMany(method => combinations.Select(swept => ComparedModel.Of(basis, method, scheme, swept))))];
            var job = new EvaluationJob(basis.ModelFolder, [.. models.Select(compared => compared.Artifact)], parse.GetRequiredValue(data), options.Limit(parse), options.MaxTokens(parse), basis.CalibrationFile) { Limits = limits };
            EvaluationRun.Check(job, cancellationToken);
            if (parse.GetValue(share) is { } own)
            {
                ComparedModel[] apart = models[own.Of(models.Length)];
                Quantize(console, apart, cache.Of(parse), cancellationToken);
                if (options.IsJson(parse))
                {
                    JsonAnswer.Write(console, json =>
                    {
                        json.WriteStartArray("artifacts");
                        Array.ForEach(apart, compared => json.WriteStringValue(compared.Artifact));
                        json.WriteEndArray();
                    });
                    return ExitCode.Done;
                }

                Array.ForEach(apart, compared => console.Output.WriteLine(compared.Artifact));
                return ExitCode.Done;
            }

            Quantize(console, models, cache.Of(parse), cancellationToken);
            options.Write(parse, Report(job, models, EvaluationReporter.Follow(console, job, cancellationToken)), console);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Quantize(CommandConsole console, ComparedModel[] models, CacheSettings caches, CancellationToken cancellationToken)
    {
        string[] keys = [.. models.Select(model => QuantizationPipeline.KeyOf(model.Job, cancellationToken))];
        var pending = models.Where((model, i) => !OutputDelivery.IsKept(model.Job, keys[i])).ToHashSet();
        var progress = new ComparisonReporter(console, models, pending.Sum(model => model.Effort));
        var delivery = new OutputDelivery(caches, new DeliveryReporter(console, progress.Clear));
        try
        {
            for (var i = 0; i < models.Length; i++)
            {
                progress.Begin(i);
                if (!pending.Contains(models[i]))
                {
                    progress.Reuse();
                }
                else if (delivery.Keep(models[i].Job, keys[i], progress, cancellationToken))
                {
                    progress.Finish();
                }
                else
                {
                    progress.Take();
                }
            }
        }
        finally
        {
            progress.Clear();
        }
    }

    private static Report Report(EvaluationJob job, ComparedModel[] models, IReadOnlyList<EvaluationResult> results)
    {
        var originalBytes = ModelInputs.WeightBytes(job.Model);
        var table = ComparisonTable.Of(originalBytes, models, results);
        return new Report([table, EvaluationTables.Modalities(results)], EvaluationTables.Note, ComparisonJson.Of(job, originalBytes, models, results), () => ComparisonPage.Render(job, models, results, table));
    }
}
