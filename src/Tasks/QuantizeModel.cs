using System.Diagnostics;
using MASQuant.Diagnostics;
using MASQuant.Quantization;
using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>Quantizes one model into the artifact store, unless another build did so meanwhile.</summary>
public class QuantizeModel : Microsoft.Build.Utilities.Task, ICancelableTask
{
    private readonly CancellationTokenSource _cancellation = new();
    private (QuantizationStage Stage, int Layer) _reported = (QuantizationStage.Prepare, -1);

    /// <summary>The class's name.</summary>
    [Required]
    public string Name { get; set; } = "";

    /// <summary>The key that <see cref="ComputeModelKeys"/> gave.</summary>
    [Required]
    public string Key { get; set; } = "";

    /// <summary>The folder of finished artifacts.</summary>
    [Required]
    public string Store { get; set; } = "";

    /// <summary>The checkpoint's folder.</summary>
    [Required]
    public string ModelFolder { get; set; } = "";

    /// <summary>The calibration set.</summary>
    [Required]
    public string CalibrationFile { get; set; } = "";

    /// <summary>The options in <see cref="ComputeModelKeys.KeyedModels"/>' form.</summary>
    public string Options { get; set; } = "";

    /// <summary>The user's project, for messages.</summary>
    public string Project { get; set; } = "";

    /// <inheritdoc/>
    public void Cancel() => _cancellation.Cancel();

    /// <inheritdoc/>
    public override bool Execute()
    {
        try
        {
            var store = new ArtifactStore(Store);
            using var alone = store.Lock(Key, () => Log.LogMessage(MessageImportance.High, "{0}", Messages.Waiting(Name)), _cancellation.Token);
            if (!store.Contains(Key, Name))
            {
                Quantize(store);
            }
        }
        catch (OperationCanceledException)
        {
            Log.LogMessage(MessageImportance.High, "{0}", Messages.Cancelled(Name));
            return false;
        }
        catch (MasQuantException problem)
        {
            Log.LogError(problem);
        }
        catch (Exception exception)
        {
            Log.LogError(Messages.Unexpected(ModelFolder, exception));
        }

        return !Log.HasLoggedErrors;
    }

    /// <summary>Runs the pipeline.</summary>
    protected virtual void Run(QuantizationJob job, IProgress<QuantizationProgress> progress, CancellationToken cancellationToken)
        => QuantizationPipeline.Run(job, progress, cancellationToken);

    private void Quantize(ArtifactStore store)
    {
        Log.LogMessage(MessageImportance.High, "{0}", Messages.Started(Name, ModelFolder, Project, OptionText.Read(Options)));
        var clock = Stopwatch.StartNew();
        var job = new QuantizationJob
        {
            ModelFolder = ModelFolder,
            CalibrationFile = CalibrationFile,
            OutputFolder = store.Partial(Key),
            Name = Name,
            WorkFolder = store.Work(Key),
            Options = OptionText.Read(Options),
        };
        try
        {
            Run(job, new Reporter(this), _cancellation.Token);
            store.Publish(Key, Name);
        }
        finally
        {
            store.DiscardPartial(Key);
        }

        Log.LogMessage(MessageImportance.High, "{0}", Messages.Finished(Name, clock.Elapsed, new FileInfo(store.Artifact(Key, Name)).Length));
    }

    // A line per layer, and the rest for those who ask for detail.
    private void Report(QuantizationProgress progress)
    {
        lock (_cancellation)
        {
            var isNew = progress.Layer != _reported.Layer || (progress.Layer < 0 && progress.Stage != _reported.Stage);
            _reported = (progress.Stage, progress.Layer);
            Log.LogMessage(isNew ? MessageImportance.High : MessageImportance.Low, "{0}", Messages.Progress(Name, progress));
        }
    }

    private sealed class Reporter(QuantizeModel task) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value) => task.Report(value);
    }
}
