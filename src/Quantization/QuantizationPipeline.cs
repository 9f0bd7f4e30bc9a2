using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Files;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;

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
        using var run = BlockRun.Prepare(job, range: null, progress, cancellationToken);
        var blocks = run.QuantizeBlocks(cancellationToken);

        var clock = new StageClock();
        clock.Enter(QuantizationStage.Write);
        run.Progress.Report(QuantizationStage.Write, "Writing the artifact.");
        LargeBuffers.ReclaimAll();
        using var checkpoint = job.OpenCheckpoint();
        var facts = run.Facts(checkpoint, [.. blocks.Select(block => block.Facts)]);
        void Check()
        {
            run.RequireSameInputs(cancellationToken);
            FactsFile.Delete(job.OutputFolder, job.Name);
        }

        var manifest = ModelWriter.Write(job.OutputFolder, facts, checkpoint, ModelConfigReader.Read(checkpoint), job.Options, [.. blocks.Select(block => run.Work.Files.Layer(block.Facts.Index))], Check, cancellationToken);
        FactsFile.Write(job.OutputFolder, job.Name, RunFactsOf(job.ModelFolder, blocks.Select(block => block.Details)), new RunTimes { Prepare = run.PrepareSeconds, Write = clock.Take().Values.Sum(), Blocks = [.. blocks.Select(block => block.Times)] });
        run.Work.Delete();
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

    internal static ModelConfig ReadConfig(QuantizationJob job)
    {
        using var checkpoint = job.OpenCheckpoint();
        var config = ModelConfigReader.Read(checkpoint);
        CheckShapes(config.Decoder(), job.Options);
        CheckpointCheck.Require(checkpoint, config, job.Options);
        return config;
    }

    internal static CalibrationSet LoadCalibration(QuantizationJob job, ModelConfig config, CancellationToken cancellationToken)
    {
        var whole = CalibrationSet.Load(job.CalibrationFile, config, cancellationToken);
        return job.SubsetOf(whole.Conversations.Count) is { } subset ? whole.Take(subset, config) : whole;
    }

    internal static RunFacts RunFactsOf(string modelFolder, IEnumerable<BlockFacts> blocks) => new()
    {
        SourceBytes = ModelInputs.WeightBytes(modelFolder),
        Blocks = [.. blocks],
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
}
