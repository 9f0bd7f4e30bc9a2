using System.CommandLine;
using System.Globalization;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant plan</c>: what quantizing a checkpoint would take, from its headers.</summary>
internal static class PlanCommand
{
    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var model = CliOptions.Path("MODEL", "The checkpoint's folder.");
        var calibration = CliOptions.Text("--calibration", "FILE", "The calibration set, whose size decides the time. Default: 128 conversations of 400 tokens are assumed.");
        var output = CliOptions.Written("--output", "DIR", "The folder whose disk is looked at. Default: the current one.");
        var json = CliOptions.Json("sizes in bytes, time in seconds");
        var options = OptionTable.All.Select(option => (option, QuantizeCommand.CreateOption(option))).ToArray();
        var command = new CliCommand("plan", "Tells what quantizing a checkpoint would take: sizes, disk, memory and time. Reads headers and configuration alone, and quantizes nothing.",
            "MODEL [--calibration FILE] [options]",
            "masquant plan models/omni-tiny --calibration data/calibration.jsonl",
            "masquant plan models/omni-tiny --scheme W8A8 --epochs 0")
        { model, calibration, output, json };
        foreach (var (_, option) in options)
        {
            command.Add(option);
        }

        command.SetAction(parse =>
        {
            var words = options.Where(pair => parse.GetValue(pair.Item2) is not null).ToDictionary(pair => pair.option.Name, pair => parse.GetValue(pair.Item2)!);
            return Run(console, parse.GetRequiredValue(model), parse.GetValue(calibration), parse.GetValue(output) ?? ".", OptionTable.Read(words), parse.GetValue(json), cancellationToken);
        });
        return command;
    }

    private static int Run(CommandConsole console, string model, string? calibration, string output, QuantizationOptions options, bool json, CancellationToken cancellationToken)
    {
        using var checkpoint = Checkpoint.Open(model);
        var config = ModelConfigReader.Read(checkpoint);
        options.CheckBlocks(config.Text.Layers);
        CheckpointCheck.Require(checkpoint, config, options);
        CheckpointCheck.Warn(checkpoint, config, console.Warn);
        var extent = calibration is null ? CalibrationExtent.Typical(config) : CalibrationExtent.Of(checkpoint, config, CalibrationSet.Load(calibration, config, cancellationToken).Conversations, options.Budget);
        var plan = QuantizationPlan.Of(checkpoint, config, options, extent.Part(options.SamplesOf(extent.Samples)));
        var machine = MachineResources.Here(output);
        var speed = MachineResources.MeasureSpeed();
        if (json)
        {
            Preflight.Check(plan, machine, done: 0, model, output);
            PlanJson.Write(console, model, plan, machine, speed);
            return ExitCode.Done;
        }

        Write(console.Output, plan, model, machine, speed);
        if (ShorterRuns.Describe(plan, extent, speed) is { Length: > 0 } sooner)
        {
            console.Output.WriteLine(sooner);
        }

        Preflight.Check(plan, machine, done: 0, model, output);
        return ExitCode.Done;
    }

    private static void Write(TextWriter writer, QuantizationPlan plan, string model, MachineResources machine, double speed)
    {
        var text = plan.Config.Text;
        writer.WriteLine($"{model}: {plan.Config.Family}, {text.Layers} decoder layers of width {text.HiddenSize}, takes {string.Join(", ", plan.Config.Modalities)}.");
        writer.WriteLine();
        var parts = new TextTable(1, "part", "tensors", "bytes", "");
        foreach (var (part, tensors, bytes) in plan.Parts)
        {
            parts.Add(part, tensors.ToString(CultureInfo.InvariantCulture), Figures.Bytes(bytes), FateOf(part, plan.Options));
        }

        parts.Write(writer);
        writer.WriteLine();
        var linears = new TextTable(1, "quantized, in each layer", "outputs × inputs", "scheme", "rank");
        foreach (var linear in plan.Config.Decoder().Blocks.SelectMany(block => block.Linears).DistinctBy(linear => linear.Name))
        {
            linears.Add(linear.Name, FormattableString.Invariant($"{linear.Outputs} × {linear.Inputs}"), Distinct(plan, layer => plan.Options.SchemeFor(layer, linear.Group).ToString()),
                Distinct(plan, layer => plan.Config.Modalities.Max(modality => plan.Options.RankFor(layer, linear, modality)).ToString(CultureInfo.InvariantCulture)));
        }

        linears.Write(writer);
        writer.WriteLine();
        var total = plan.Parts.Sum(part => part.Bytes);
        var schemes = new TextTable(1, "scheme", "artifact", "of the checkpoint", "");
        foreach (var scheme in QuantizationScheme.All)
        {
            var bytes = plan.ArtifactBytesAt(scheme);
            schemes.Add(scheme.ToString(), bytes is { } known ? Figures.Bytes(known) : "–", bytes is { } size ? $"{Figures.Percent((double)size / total)} %" : "shapes do not fit", scheme == plan.Options.Scheme ? "chosen" : "");
        }

        schemes.Write(writer);
        writer.WriteLine();
        var seconds = TimeSpan.FromSeconds(plan.Operations / speed);
        var needs = new TextTable(1, "needs", "about", "there is");
        needs.Add("disk", Figures.Bytes(plan.DiskBytes), $"{Figures.Bytes(machine.FreeDiskBytes)} free");
        needs.Add("memory", Figures.Bytes(plan.MemoryBytes), Figures.Bytes(machine.MemoryBytes));
        needs.Add("time", Figures.Estimate(seconds), FormattableString.Invariant($"{Environment.ProcessorCount} cores, FP32 products at {speed / 1e9:F0} GFLOP/s"));
        needs.Write(writer);
        writer.WriteLine();
        writer.WriteLine(FormattableString.Invariant($"Calibration: {plan.Calibration.Samples} samples, about {plan.Calibration.Tokens} tokens. The time is an estimate for an idle machine, right within a factor of 1.5."));
        var memory = SequenceMemory.Of(plan.Config.Decoder(), plan.Options.GuessHead != GuessHeadKind.None);
        writer.WriteLine($"A sequence takes {Figures.Bytes(memory.TokenBytes)} a token when it runs on the processor ({Figures.Bytes(memory.TokenBytes / 2)} in BF16: ModelOptions.KeyValues){(memory.StateBytes > 0 ? $", and {Figures.Bytes(memory.StateBytes)} at every length" : "")}.");
    }

    private static string FateOf(string part, QuantizationOptions options) => part switch
    {
        ModelPart.Quantized => "are quantized",
        ModelPart.EmbeddingAndHead when options.Head == PartKind.W8 => "get 8 bits",
        ModelPart.VisionTower or ModelPart.AudioTower when options.Towers == PartKind.W8 => "linear layers get 8 bits",
        ModelPart.GuessHead => options.GuessHead == GuessHeadKind.None ? "are left" : "linear layers get 8 bits, a copy of the head 4",
        _ => "stay",
    };

    private static string Distinct(QuantizationPlan plan, Func<int, string> value) => string.Join(", ", Enumerable.Range(0, plan.Config.Text.Layers).Select(value).Distinct());
}
