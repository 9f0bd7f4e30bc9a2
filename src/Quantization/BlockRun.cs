using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Models;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Platform;
using MASQuant.Quantization.Allocation;
using MASQuant.Quantization.Blocks;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Parts;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;
using MASQuant.Quantization.Smoothing;

namespace MASQuant.Quantization;

/// <summary>Consecutive decoder blocks from the embedded calibration set to files: all of a model, or a part of it, whose first block reads what the full-precision blocks before it give.</summary>
internal sealed class BlockRun : IDisposable
{
    private readonly QuantizationJob _job;
    private readonly BlockRange _range;
    private readonly ModelConfig _config;
    private readonly DecoderDescription _decoder;
    private readonly CalibrationSet _calibration;
    private readonly ICompute _compute;
    private readonly IReadOnlyList<CalibrationSequence> _sequences;
    private readonly RunInputs _inputs;
    private readonly string _key;
    private readonly StageClock _clock = new();
    private QuantizationOptions _options;

    private BlockRun(QuantizationJob job, BlockRange? range, IProgress<QuantizationProgress>? progress, CancellationToken cancellationToken)
    {
        _job = job;
        _inputs = RunInputs.Watch(job);
        _config = QuantizationPipeline.ReadConfig(job);
        _decoder = _config.Decoder();
        _range = range ?? new BlockRange(0, _decoder.Blocks.Count - 1);
        Progress = new RunProgress(progress, _decoder.Blocks.Count, _range);

        _clock.Enter(QuantizationStage.Prepare);
        Progress.Report(QuantizationStage.Prepare, "Reading the checkpoint and the calibration set.");
        _calibration = QuantizationPipeline.LoadCalibration(job, _config, cancellationToken);
        CheckResources();
        _compute = ComputeAssembly.Open(job.Options.Compute, job.ComputeAssembly);
        _sequences = Embed(cancellationToken);
        _key = _inputs.Key(cancellationToken);
        Work = WorkFolder.Open(job.WorkFolder, range is null ? _key : PartPlan.RunKeyOf(_key, _range), _decoder);
        _options = job.Options;
    }

    /// <summary>The finished blocks.</summary>
    public WorkFolder Work { get; }

    /// <summary>Tells of the run.</summary>
    public RunProgress Progress { get; }

    /// <summary>How long everything before the first block took.</summary>
    public double PrepareSeconds { get; private set; }

    /// <summary>Reads everything that the blocks need.</summary>
    /// <param name="job">The model.</param>
    /// <param name="range">The blocks; null for all.</param>
    /// <param name="progress">Receives a report for every step, or null.</param>
    /// <param name="cancellationToken">Obeyed within every step.</param>
    public static BlockRun Prepare(QuantizationJob job, BlockRange? range, IProgress<QuantizationProgress>? progress, CancellationToken cancellationToken)
    {
        var run = new BlockRun(job, range, progress, cancellationToken);
        run._options = run.WithRanks(cancellationToken);
        run.PrepareSeconds = run._clock.Take().Values.Sum();
        return run;
    }

    /// <summary>Quantizes the blocks; those that an earlier run finished are left as they are.</summary>
    public List<FinishedBlock> QuantizeBlocks(CancellationToken cancellationToken)
    {
        var backend = new CpuGemmBackend();
        var runner = new BlockRunner(_decoder.Config, _sequences);
        var modalityWeights = _options.ModalityWeights.Count > 0 ? null : MeasureWeights(cancellationToken);
        var blocks = new List<FinishedBlock>();
        PassPrefix(runner, cancellationToken);
        for (var layer = _range.First; layer <= _range.Last; layer++)
        {
            var index = layer;
            var quantizer = new BlockQuantizer(modalityWeights is null ? _options : _options with { ModalityWeights = modalityWeights[layer] }, backend, runner, _compute);
            LargeBuffers.ReclaimAll();
            using var checkpoint = _job.OpenCheckpoint();
            var weights = BlockWeights.Of(checkpoint, _decoder, layer);
            var exact = weights.ToDense();
            if (Work.TryRead(layer, cancellationToken) is { } finished)
            {
                Progress.Resume(layer);
                quantizer.Skip(exact, finished.Layer, cancellationToken);
                blocks.Add(new FinishedBlock(finished.Facts, finished.Details, Work.Files.ReadTimes(layer)));
                continue;
            }

            var block = quantizer.Quantize(exact, weights, Report, cancellationToken);
            var times = _clock.Take();
            Watched(_inputs.RequireUnchanged);
            Work.Write(block, times);
            blocks.Add(new FinishedBlock(block.Facts, block.Details, times));

            void Report(QuantizationStage stage, Modality? modality, double done)
            {
                _clock.Enter(stage);
                Progress.Report(index, stage, modality, done);
            }
        }

        return blocks;
    }

    /// <summary>To be called before the result gets its name.</summary>
    /// <exception cref="MASQuantException">MASQ0524: an input has changed. Finished blocks are discarded.</exception>
    public void RequireSameInputs(CancellationToken cancellationToken) => Watched(() => _inputs.RequireSame(_key, cancellationToken));

    /// <summary>Lets go of what computes.</summary>
    public void Dispose() => _compute.Dispose();

    /// <summary>What the manifest says of the model.</summary>
    public Manifest Facts(IModelSource checkpoint, IReadOnlyList<ManifestLayer> layers) => ModelFacts.Of(_job, checkpoint, _config, _calibration, _sequences, layers);

    private void Watched(Action check)
    {
        try
        {
            check();
        }
        catch (MASQuantException e) when (e.Code == DiagnosticCodes.InputChanged)
        {
            Work.Delete();
            throw;
        }
    }

    // Both streams enter a part's first block as full precision has them: no other job need be finished for that.
    private void PassPrefix(BlockRunner runner, CancellationToken cancellationToken)
    {
        _clock.Enter(QuantizationStage.Prepare);
        for (var layer = 0; layer < _range.First; layer++)
        {
            Progress.Report(QuantizationStage.Prepare, FormattableString.Invariant($"Running the blocks before {_range.First + 1} in full precision."));
            LargeBuffers.ReclaimAll();
            using var checkpoint = _job.OpenCheckpoint();
            runner.Pass(BlockWeights.Of(checkpoint, _decoder, layer).ToDense(), cancellationToken);
        }

        PrepareSeconds += _clock.Take().Values.Sum();
    }

    // Before any work: neither a full disk nor a killed process says how much would have been enough.
    private void CheckResources()
    {
        using var checkpoint = _job.OpenCheckpoint();
        var plan = QuantizationPlan.Of(checkpoint, _config, _job.Options, CalibrationExtent.Of(checkpoint, _config, _calibration.Conversations, _job.Options.Budget));
        var count = _range.Last - _range.First + 1;
        var elsewhere = count == _decoder.Blocks.Count ? 0 : plan.DiskBytes - (plan.QuantizedBytes * count / _decoder.Blocks.Count); // Blocks are about equal.
        var done = Directory.Exists(_job.WorkFolder) ? FileSystem.Current.Files(_job.WorkFolder).Sum(file => file.Length) : 0;
        Preflight.Check(plan, MachineResources.Here(_job.OutputFolder), done + elsewhere, _job.ModelFolder, _job.OutputFolder);
    }

    // What was read of a mapped file counts as this process's memory until the mapping goes: embeddings and towers here, a block's weights below.
    private IReadOnlyList<CalibrationSequence> Embed(CancellationToken cancellationToken)
    {
        using var checkpoint = _job.OpenCheckpoint();
        CheckpointCheck.RequireFinite(checkpoint, _config);
        return CalibrationSequences.Embed(checkpoint, _config, _calibration, _job.Options.Budget, cancellationToken);
    }

    // Ranks depend on all blocks, so they are chosen before the first is quantized, by every part alike, and kept for a run that resumes.
    private QuantizationOptions WithRanks(CancellationToken cancellationToken)
    {
        var options = _job.Options;
        if (options.PatchBytes is null)
        {
            return options;
        }

        if (Work.TryReadRanks() is { } kept)
        {
            return options with { LayerRanks = kept, PatchBytes = null };
        }

        using var checkpoint = _job.OpenCheckpoint();
        var measurement = new NoiseMeasurement(_decoder, options, (layer, group) => [options.SchemeFor(layer, group)], _compute);
        var noise = measurement.Run(layer => BlockWeights.Of(checkpoint, _decoder, layer), _sequences,
            _ => Progress.Report(QuantizationStage.Prepare, "Measuring what patches bring."), cancellationToken);
        var allocated = PatchBudget.Apply(options, _decoder, noise);
        Work.WriteRanks(allocated.LayerRanks);
        return allocated;
    }

    private double[][] MeasureWeights(CancellationToken cancellationToken)
    {
        using var checkpoint = _job.OpenCheckpoint();
        return GradientWeights.Measure(checkpoint, _decoder, SpreadSample.Of(_sequences, GradientWeights.Samples), cancellationToken);
    }
}

/// <summary>What is kept of a block once its tensors are on the disk.</summary>
/// <param name="Facts">What the manifest says of it.</param>
/// <param name="Details">What reports say beside.</param>
/// <param name="Times">How long it took.</param>
internal sealed record FinishedBlock(ManifestLayer Facts, BlockFacts Details, SortedDictionary<string, double> Times);
