using MASQuant.Artifacts;
using MASQuant.Calibration;
using MASQuant.Configuration;
using MASQuant.Diagnostics;
using MASQuant.Gemm;
using MASQuant.Layers;
using MASQuant.Models;
using MASQuant.Safetensors;

namespace MASQuant.Quantization;

/// <summary>MASQuant from a checkpoint to an artifact: embed the calibration set, then block after block calibrate, smooth, quantize and compensate, each block fed by the quantized blocks before it; then write.</summary>
public static class QuantizationPipeline
{
    /// <summary>Runs a job. An interrupted job resumes at its first unfinished block; equal jobs give equal bytes.</summary>
    /// <param name="job">What to quantize, how, and where to.</param>
    /// <param name="progress">Receives a report for every step, or null.</param>
    /// <param name="cancellation">Stops the run within a step; finished blocks are kept, no partial artifact is left.</param>
    /// <returns>The manifest as written.</returns>
    /// <exception cref="MasQuantException">Bad input, with its code, file and remedy.</exception>
    public static Manifest Run(QuantizationJob job, IProgress<QuantizationProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var checkpoint = Checkpoint.Open(job.ModelFolder);
        var config = ModelConfigReader.Read(checkpoint);
        CheckShapes(config.Text, job.Options);
        var report = new RunProgress(progress, config.Text.Layers, job.Options.Epochs > 0 && job.Options.Smoothing != SmoothingKind.None);

        report.Report(QuantizationStage.Prepare, "Reading the checkpoint and the calibration set.");
        var calibration = LoadCalibration(job, config, cancellation);
        var sequences = CalibrationSequences.Embed(checkpoint, config, calibration, cancellation);
        var work = WorkFolder.Open(job.WorkFolder, RunFingerprint.Of(job.ModelFolder, calibration, job.Options, cancellation), config.Text);

        var layers = QuantizeBlocks(job.Options, checkpoint, config.Text, sequences, work, report, cancellation);

        report.Report(QuantizationStage.Write, "Writing the artifact.");
        var facts = ModelFacts.Of(job, checkpoint, config, calibration, sequences, layers);
        var manifest = ArtifactWriter.Write(job.OutputFolder, facts, checkpoint, [.. layers.Select(layer => work.LayerPath(layer.Index))], cancellation);
        work.Delete();
        return manifest;
    }

    /// <summary>Identifies all that shapes a job's artifact: jobs of equal fingerprints and names give equal bytes.</summary>
    /// <returns>SHA-256 over tool version, options and the contents of checkpoint and calibration set.</returns>
    /// <exception cref="MasQuantException">The checkpoint or the calibration set cannot be read.</exception>
    public static string Fingerprint(QuantizationJob job, CancellationToken cancellation = default)
    {
        using var checkpoint = Checkpoint.Open(job.ModelFolder);
        var calibration = LoadCalibration(job, ModelConfigReader.Read(checkpoint), cancellation);
        return RunFingerprint.Of(job.ModelFolder, calibration, job.Options, cancellation);
    }

    private static CalibrationSet LoadCalibration(QuantizationJob job, ModelConfig config, CancellationToken cancellation)
    {
        var whole = CalibrationSet.Load(job.CalibrationFile, config, cancellation);
        return job.Subset is { } subset ? whole.Take(subset, config) : whole;
    }

    private static List<ManifestLayer> QuantizeBlocks(QuantizationOptions options, Checkpoint checkpoint, TextConfig config, IReadOnlyList<CalibrationSequence> sequences, WorkFolder work, RunProgress report, CancellationToken cancellation)
    {
        var quantizer = new BlockQuantizer(config, options, new CpuGemmBackend(), new BlockRunner(config, sequences));
        var layers = new List<ManifestLayer>();
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var index = layer;
            var weights = BlockWeights.Of(checkpoint, config, layer);
            var exact = weights.ToDense(config);
            if (work.TryRead(layer) is { } finished)
            {
                report.Resume(layer);
                quantizer.Skip(exact, finished.Layer, cancellation);
                layers.Add(finished.Facts);
                continue;
            }

            var block = quantizer.Quantize(exact, weights, (stage, modality, done) => report.Report(index, stage, modality, done), cancellation);
            work.Write(block);
            layers.Add(block.Facts);
        }

        return layers;
    }

    // Before any work: a shape that cannot be packed would otherwise be found after the first block.
    private static void CheckShapes(TextConfig config, QuantizationOptions options)
    {
        options.CheckBlocks(config.Layers);
        foreach (var linear in DecoderLinear.Of(config))
        {
            for (var layer = 0; layer < config.Layers; layer++)
            {
                PackingLayout.CheckShape($"{DecoderLinear.BlockPrefix(layer)}{linear.Name}", linear.Outputs, linear.Inputs, options.SchemeFor(layer, linear.Group));
            }
        }
    }
}
