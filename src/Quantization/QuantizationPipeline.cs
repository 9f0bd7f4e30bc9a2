using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Files;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Allocation;
using MASQuant.Quantization.Blocks;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;
using MASQuant.Quantization.Smoothing;

namespace MASQuant.Quantization;

/// <summary>MASQuant from a checkpoint to an artifact: embed the calibration set, then block after block calibrate, smooth, quantize and compensate, each block fed by the quantized blocks before it; then write.</summary>
public static class QuantizationPipeline
{
    /// <summary>Runs a job. An interrupted job resumes at its first unfinished block; equal jobs give equal bytes.</summary>
    /// <param name="job">What to quantize, how, and where to.</param>
    /// <param name="progress">Receives a report for every step, or null.</param>
    /// <param name="cancellationToken">Stops the run within a step; finished blocks are kept, no partial artifact is left.</param>
    /// <returns>The manifest as written.</returns>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public static Manifest Run(QuantizationJob job, IProgress<QuantizationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var config = ReadConfig(job);
        var decoder = config.Decoder();
        var report = new RunProgress(progress, config.Text.Layers);

        var clock = new StageClock();
        clock.Enter(QuantizationStage.Prepare);
        report.Report(QuantizationStage.Prepare, "Reading the checkpoint and the calibration set.");
        var calibration = LoadCalibration(job, config, cancellationToken);
        CheckResources(job, config, calibration);
        var sequences = Embed(job, config, calibration, cancellationToken);
        var work = WorkFolder.Open(job.WorkFolder, ArtifactKey.Of(job, file => ContentHash.OfFile(file, cancellationToken)), decoder);

        var options = WithRanks(job, decoder, sequences, work, report, cancellationToken);
        var prepared = clock.Take();
        var blocks = QuantizeBlocks(options, job, decoder, sequences, work, clock, report, cancellationToken);

        clock.Enter(QuantizationStage.Write);
        report.Report(QuantizationStage.Write, "Writing the artifact.");
        LargeBuffers.ReclaimAll();
        using var checkpoint = job.OpenCheckpoint();
        var facts = ModelFacts.Of(job, checkpoint, config, calibration, sequences, [.. blocks.Select(block => block.Facts)]);
        var manifest = ArtifactWriter.Write(job.OutputFolder, facts, checkpoint, [.. blocks.Select(block => work.LayerPath(block.Facts.Index))], cancellationToken);
        FactsFile.Write(job.OutputFolder, job.Name, RunFactsOf(job, blocks), new RunTimes { Prepare = prepared.Values.Sum(), Write = clock.Take().Values.Sum(), Blocks = [.. blocks.Select(block => block.Times)] });
        work.Delete();
        return manifest;
    }

    /// <summary>The key of a job's artifact, once it is known that the job can begin.</summary>
    /// <returns><see cref="ArtifactKey"/>.</returns>
    /// <exception cref="MASQuantException">The checkpoint's configuration or the calibration set cannot be read, or the options do not fit them.</exception>
    public static string KeyOf(QuantizationJob job, CancellationToken cancellationToken = default)
    {
        var config = ReadConfig(job);
        LoadCalibration(job, config, cancellationToken);
        return ArtifactKey.Of(job, file => ContentHash.OfFile(file, cancellationToken));
    }

    // Before any work: neither a full disk nor a killed process says how much would have been enough.
    private static void CheckResources(QuantizationJob job, ModelConfig config, CalibrationSet calibration)
    {
        using var checkpoint = job.OpenCheckpoint();
        var plan = QuantizationPlan.Of(checkpoint, config, job.Options, CalibrationExtent.Of(calibration.Conversations, config, job.Options.MaxPixels));
        var done = Directory.Exists(job.WorkFolder) ? new DirectoryInfo(job.WorkFolder).EnumerateFiles().Sum(file => file.Length) : 0;
        Preflight.Check(plan, MachineResources.Here(job.OutputFolder), done, job.ModelFolder, job.OutputFolder);
    }

    private static ModelConfig ReadConfig(QuantizationJob job)
    {
        using var checkpoint = job.OpenCheckpoint();
        var config = ModelConfigReader.Read(checkpoint);
        CheckShapes(config.Decoder(), job.Options);
        CheckpointCheck.Require(checkpoint, config);
        return config;
    }

    // What was read of a mapped file counts as this process's memory until the mapping goes: embeddings and towers here, a block's weights below.
    private static IReadOnlyList<CalibrationSequence> Embed(QuantizationJob job, ModelConfig config, CalibrationSet calibration, CancellationToken cancellationToken)
    {
        using var checkpoint = job.OpenCheckpoint();
        CheckpointCheck.RequireFinite(checkpoint, config);
        return CalibrationSequences.Embed(checkpoint, config, calibration, new ImageBudget { MinPixels = job.Options.MinPixels, MaxPixels = job.Options.MaxPixels }, cancellationToken);
    }

    private static CalibrationSet LoadCalibration(QuantizationJob job, ModelConfig config, CancellationToken cancellationToken)
    {
        var whole = CalibrationSet.Load(job.CalibrationFile, config, cancellationToken);
        return job.SubsetOf(whole.Conversations.Count) is { } subset ? whole.Take(subset, config) : whole;
    }

    // Ranks depend on all blocks, so they are chosen before the first is quantized, and kept for a run that resumes.
    private static QuantizationOptions WithRanks(QuantizationJob job, DecoderDescription decoder, IReadOnlyList<CalibrationSequence> sequences, WorkFolder work, RunProgress report, CancellationToken cancellationToken)
    {
        var options = job.Options;
        if (options.PatchBytes is null)
        {
            return options;
        }

        if (work.TryReadRanks() is { } kept)
        {
            return options with { LayerRanks = kept, PatchBytes = null };
        }

        using var checkpoint = job.OpenCheckpoint();
        var measurement = new NoiseMeasurement(decoder, options, (layer, group) => [options.SchemeFor(layer, group)]);
        var noise = measurement.Run(layer => BlockWeights.Of(checkpoint, decoder, layer), sequences,
            _ => report.Report(QuantizationStage.Prepare, "Measuring what patches bring."), cancellationToken);
        var allocated = PatchBudget.Apply(options, decoder, noise);
        work.WriteRanks(allocated.LayerRanks);
        return allocated;
    }

    private static List<FinishedBlock> QuantizeBlocks(QuantizationOptions options, QuantizationJob job, DecoderDescription decoder, IReadOnlyList<CalibrationSequence> sequences, WorkFolder work, StageClock clock, RunProgress report, CancellationToken cancellationToken)
    {
        var backend = new CpuGemmBackend();
        var runner = new BlockRunner(decoder.Config, sequences);
        var modalityWeights = options.ModalityWeights.Count > 0 ? null : MeasureWeights(job, decoder, sequences, cancellationToken);
        var blocks = new List<FinishedBlock>();
        for (var layer = 0; layer < decoder.Blocks.Count; layer++)
        {
            var index = layer;
            var quantizer = new BlockQuantizer(modalityWeights is null ? options : options with { ModalityWeights = modalityWeights[layer] }, backend, runner);
            LargeBuffers.ReclaimAll();
            using var checkpoint = job.OpenCheckpoint();
            var weights = BlockWeights.Of(checkpoint, decoder, layer);
            var exact = weights.ToDense();
            if (work.TryRead(layer) is { } finished)
            {
                report.Resume(layer);
                quantizer.Skip(exact, finished.Layer, cancellationToken);
                blocks.Add(new FinishedBlock(finished.Facts, finished.Details, work.ReadTimes(layer)));
                continue;
            }

            var block = quantizer.Quantize(exact, weights, Report, cancellationToken);
            var times = clock.Take();
            work.Write(block, times);
            blocks.Add(new FinishedBlock(block.Facts, block.Details, times));

            void Report(QuantizationStage stage, Modality? modality, double done)
            {
                clock.Enter(stage);
                report.Report(index, stage, modality, done);
            }
        }

        return blocks;
    }

    private static double[][] MeasureWeights(QuantizationJob job, DecoderDescription decoder, IReadOnlyList<CalibrationSequence> sequences, CancellationToken cancellationToken)
    {
        using var checkpoint = job.OpenCheckpoint();
        return GradientWeights.Measure(checkpoint, decoder, sequences, cancellationToken);
    }

    private static RunFacts RunFactsOf(QuantizationJob job, IReadOnlyList<FinishedBlock> blocks) => new()
    {
        SourceBytes = Directory.EnumerateFiles(job.ModelFolder, "*.safetensors").Sum(file => new FileInfo(file).Length),
        Blocks = [.. blocks.Select(block => block.Details)],
    };

    // Before any work: a shape that cannot be packed would otherwise be found after the first block.
    private static void CheckShapes(DecoderDescription decoder, QuantizationOptions options)
    {
        options.CheckBlocks(decoder.Blocks.Count);
        foreach (var (layer, block) in decoder.Blocks.Index())
        {
            foreach (var linear in block.Linears)
            {
                var (name, scheme) = ($"{block.Prefix}{linear.Name}", options.SchemeFor(layer, linear.Group));
                PackingLayout.CheckShape(name, linear.Outputs, linear.Inputs, scheme);
                if (options.GroupSizeFor(scheme) > 0)
                {
                    PackingLayout.CheckGroups(name, linear.Inputs);
                }
            }
        }
    }

    // What is kept of a block once its tensors are on the disk.
    private sealed record FinishedBlock(ManifestLayer Facts, BlockFacts Details, SortedDictionary<string, double> Times);
}
