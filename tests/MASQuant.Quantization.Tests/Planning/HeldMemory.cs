using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Planning;

/// <summary>Counts what a run has in use at once, by a collection before every large buffer. For a process of its own: a collection sees all that the process holds.</summary>
internal static class HeldMemory
{
    /// <summary>Quantizes a model whose down_proj has <paramref name="intermediate"/> inputs: bytes in use at the worst moment, and as planned.</summary>
    public static (long Held, long Planned) Measure(int intermediate, QuantizationOptions options)
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path, options) with { ModelFolder = WideCheckpoint.Write(folder.File("wide"), intermediate) };
        AppContext.SetData(LargeBuffers.MaxGarbageSetting, 0L);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        QuantizationPipeline.Run(job);
        return (LargeBuffers.Peak - before, Planned(job));
    }

    private static long Planned(QuantizationJob job)
    {
        using var checkpoint = Checkpoint.Open(job.ModelFolder);
        var config = ModelConfigReader.Read(checkpoint);
        var extent = CalibrationExtent.Of(checkpoint, config, CalibrationSet.Load(job.CalibrationFile, config).Conversations);
        var plan = QuantizationPlan.Of(checkpoint, config, job.Options, extent);
        return PlannedMemory.InUse(config, job.Options, extent, plan.TowerBytes, plan.ArtifactBytes);
    }
}
