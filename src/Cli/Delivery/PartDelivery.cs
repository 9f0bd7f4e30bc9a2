using MASQuant.Delivery;
using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Stores;
using MASQuant.Quantization;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Parts;

namespace MASQuant.Cli.Delivery;

/// <summary>Brings a part to the folder that a person named. Unfinished blocks lie in that folder too, so that a job which another machine repeats resumes.</summary>
/// <param name="log">Hears of it.</param>
internal sealed class PartDelivery(IDeliveryLog log)
{
    /// <summary>Where the part's finished blocks are kept until it is whole.</summary>
    public static string BlocksOf(PartPlan plan) => RunOf(plan).Layers;

    /// <summary>Brings a part. Another process that makes it is waited for.</summary>
    /// <returns>Whether it had to be made.</returns>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public bool Bring(PartPlan plan, IProgress<QuantizationProgress> progress, CancellationToken cancellationToken)
    {
        var run = RunOf(plan);
        using var output = OutputLock.Take(plan.Job.OutputFolder, Path.GetFileName(plan.Folder), log, cancellationToken);
        using var alone = run.Lock(() => log.Report(DeliveryEvent.Waiting(plan.Job.Name)), cancellationToken);
        var isMade = !plan.IsFinished(cancellationToken);
        if (isMade)
        {
            PartPipeline.Run(plan, run.Layers, progress, cancellationToken);
        }

        run.Delete();
        return isMade;
    }

    private static RunFolder RunOf(PartPlan plan) => new(UnfinishedRuns.ParentOf(plan.Job.OutputFolder), plan.RunKey);
}
