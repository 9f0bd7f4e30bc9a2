using System.Globalization;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tensors;
using MASQuant.Evaluation.Scores;
using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Smoothing;
using MASQuant.Quantization.Weights;

namespace MASQuant.Bench.Paper;

/// <summary>The paper's Table 3 in simulation: one factor for all modalities, then one per modality from ranges, then learned, each modality with a quantized weight of its own; <c>down_proj</c> is quantized and not smoothed, as in the paper.</summary>
internal static class OwnWeights
{
    private static readonly (string Name, QuantizationOptions Options)[] Variants =
    [
        ("uniform", Read("SmoothQuant", 0)),
        ("MAS, un-learned", Read("Paper", 0)),
        ("MAS, learned", Read("Paper", 2)),
    ];

    /// <summary>Prints a Markdown table: KL by task with 95 % intervals, SQNR of the last block by modality.</summary>
    /// <param name="arguments">MODEL CALIBRATION.jsonl DATA.jsonl SCHEME.</param>
    public static int Run(string[] arguments)
    {
        if (arguments is not [var folder, var calibration, var data, var schemeName] || !QuantizationScheme.TryParse(schemeName, out var scheme))
        {
            Console.Error.WriteLine("own-weights MODEL CALIBRATION.jsonl DATA.jsonl SCHEME");
            return 2;
        }

        using var reference = LoadedModel.Load(folder);
        var decoders = Variants.Select(variant => Quantize(folder, calibration, reference.Decoder, variant.Options with { Scheme = scheme })).ToArray();
        var conversations = ConversationFile.Read(data, default);
        var sideBySide = new SideBySide([reference.Decoder, .. decoders]);
        var deviations = new SampleDeviation[conversations.Count][];
        Workers.For(conversations.Count, i => deviations[i] = sideBySide.Run(reference.Prepare(conversations[i].Messages), default));
        var summary = new EvaluationSummary(conversations, deviations);
        var results = Variants.Select((variant, i) => summary.Of(i + 1, variant.Name)).ToArray();
        Console.WriteLine($"| scheme | factors | {string.Join(" | ", results[0].Tasks.Select(task => task.Task))} | last block's SQNR: {string.Join(" · ", results[0].Modalities.Select(modality => modality.Modality))} |");
        Console.WriteLine($"|---|---|{string.Concat(results[0].Tasks.Select(_ => "---:|"))}---:|");
        foreach (var result in results)
        {
            var divergences = result.Tasks.Select(task => string.Create(CultureInfo.InvariantCulture, $"{task.KullbackLeibler.Value:F5} ± {task.KullbackLeibler.Own.Margin:F5}"));
            var sqnr = result.Modalities.Select(modality => modality.BlockSqnr[^1].ToString("F1", CultureInfo.InvariantCulture));
            Console.WriteLine($"| {scheme} | {result.Model} | {string.Join(" | ", divergences)} | {string.Join(" · ", sqnr)} |");
        }

        return 0;
    }

    private static QuantizationOptions Read(string method, int epochs)
        => OptionTable.Read(new Dictionary<string, string> { ["Method"] = method, ["Epochs"] = epochs.ToString(CultureInfo.InvariantCulture) });

    // The pipeline's order, block after block, but for the weights.
    private static Decoder Quantize(string folder, string calibrationFile, Decoder exactDecoder, QuantizationOptions options)
    {
        using var checkpoint = Checkpoint.Open(folder);
        var config = ModelConfigReader.Read(checkpoint);
        var sequences = CalibrationSequences.Embed(checkpoint, config, CalibrationSet.Load(calibrationFile, config, default), new ImageBudget(), default);
        var (decoder, runner) = (exactDecoder.Description, new BlockRunner(config.Text, sequences));
        var blocks = new List<TransformerBlock>();
        for (var layer = 0; layer < config.Text.Layers; layer++)
        {
            var weights = BlockWeights.Of(checkpoint, decoder, layer);
            var exact = exactDecoder.Blocks[layer];
            var groups = decoder.Blocks[layer].Groups.ToList();
            var targets = runner.Outputs(exact, sequence => sequence.Exact, default);
            var ranges = groups.Select(group => new ActivationStatistics($"{group}", weights.Group(group)[0].Linear.Inputs, keepsGram: false)).ToArray();
            runner.ObserveInputs(exact, (sequence, group, x) => ranges[groups.IndexOf(group)].Add(x, sequence.Modalities), default);
            var smoothing = new ModalityAwareSmoothing(options);
            var factors = smoothing.Learns
                ? smoothing.Learn(weights, ranges, runner.Sequences, targets, _ => { }, default)
                : [.. groups.Select((group, i) => smoothing.Initial(weights, group, ranges[i]))];
            var block = groups.Zip(factors).Aggregate(exact, (block, pair) => block.With(pair.First, Group(weights.Group(pair.First), pair.Second, options.Scheme)));
            var outputs = runner.Outputs(block, sequence => sequence.Quantized, default);
            for (var i = 0; i < outputs.Length; i++)
            {
                (sequences[i].Exact, sequences[i].Quantized) = (targets[i], outputs[i]);
            }

            blocks.Add(block);
            Console.Error.WriteLine($"{options.Smoothing}, {options.Epochs} epochs: block {layer + 1} of {config.Text.Layers}");
        }

        return exactDecoder with { Blocks = blocks };
    }

    private static OwnWeightGroup Group(IReadOnlyList<LinearWeight> linears, SmoothingFactors factors, QuantizationScheme scheme)
        => new([.. Enum.GetValues<Modality>().Select(modality => new QuantizedLinearGroup(
            [.. linears.Select(linear => new RtnQuantizer().Quantize(factors[modality].ScaleWeight(linear.ReadMatrix()), scheme, default).Pack(linear.Bias))], factors.Input, new CpuGemmBackend()))]);
}
