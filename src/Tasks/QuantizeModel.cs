using MASQuant.Delivery;
using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Stores;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Files;
using MASQuant.Platform;
using MASQuant.Quantization;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Planning;
using MASQuant.Quantization.Run;
using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>Brings one model into the artifact store: from a cache, or by quantizing it, unless another build does so meanwhile.</summary>
public class QuantizeModel : Microsoft.Build.Utilities.Task, ICancelableTask
{
    private readonly CancellationTokenSource _cancellation = new();
    private (QuantizationStage Stage, int Layer) _reported = (QuantizationStage.Prepare, -1);
    private BuildLines? _lines;

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

    /// <summary>The assembly that computes unless that is managed code; empty when no package brought it.</summary>
    public string ComputeAssembly { get; set; } = "";

    /// <summary>The user's project, for messages.</summary>
    public string Project { get; set; } = "";

    /// <summary>The properties of caches, <c>MASQuantCacheDirectory</c> and others, as items with a <c>Value</c>.</summary>
    public ITaskItem[] CacheProperties { get; set; } = [];

    /// <summary>Names the build that this is a part of; all of its tasks warn of a remote cache once.</summary>
    public string Build { get; set; } = "";

    /// <summary>1 when MSBuild's terminal logger shows the build.</summary>
    public string TerminalLogger { get; set; } = "";

    private BuildLines Lines => _lines ??= new BuildLines(this, TerminalLogger);

    /// <inheritdoc/>
    public void Cancel() => _cancellation.Cancel();

    /// <inheritdoc/>
    public override bool Execute()
    {
        try
        {
            CheckWords();
            var properties = CacheProperties.ToDictionary(property => property.ItemSpec, property => property.GetMetadata("Value"), StringComparer.OrdinalIgnoreCase);
            var target = new StoredModel(new ArtifactStore(Store), Key, Name);
            var delivery = new ArtifactDelivery(target, CacheSettings.Read(properties, Project), Key, Name, new DeliveryLog(this, Lines)) { Project = Project, Build = Build, MaxBytes = ModelInputs.MostArtifactBytes(ModelFolder) };
            delivery.Run(Quantize, _cancellation.Token);
        }
        catch (OperationCanceledException)
        {
            Lines.Say(Messages.Cancelled(Name));
            return false;
        }
        catch (MASQuantException problem)
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
    {
        Warn(job);
        QuantizationPipeline.Run(job, progress, cancellationToken);
    }

    private void Quantize(RunFolder run)
    {
        Lines.Say(Messages.Started(Name, ModelFolder, Project, OptionText.Read(Options)));
        var started = Clock.Current.GetTimestamp();
        var job = run.Start(new QuantizationJob
        {
            ModelFolder = ModelFolder,
            CalibrationFile = CalibrationFile,
            OutputFolder = "",
            Name = Name,
            WorkFolder = "",
            Options = OptionText.Read(Options),
            ComputeAssembly = Quantization.Compute.ComputeAssembly.At(ComputeAssembly),
        });
        Run(job, new Reporter(this), _cancellation.Token);
        Lines.Say(Messages.Quantized(Name, Clock.Current.GetElapsedTime(started), FileSystem.Current.Info(Path.Combine(run.Output, EntryNames.Of(Name).Artifact)).Length));
    }

    private void Warn(QuantizationJob job)
    {
        using var checkpoint = job.OpenCheckpoint();
        CheckpointCheck.Warn(checkpoint, ModelConfigReader.Read(checkpoint), Log.LogWarning);
    }

    // Both become parts of paths, and a build server may pass what it likes.
    private void CheckWords()
    {
        if (!ContentHash.IsHash(Key) || ModelName.From(Name) != Name)
        {
            throw Messages.JobNotValid(Project, Name, Key);
        }
    }

    // A line per layer, and the rest for those who ask for detail.
    private void Report(QuantizationProgress progress)
    {
        lock (_cancellation)
        {
            var isNew = progress.Layer != _reported.Layer || (progress.Layer < 0 && progress.Stage != _reported.Stage);
            _reported = (progress.Stage, progress.Layer);
            Lines.SayPaced(Messages.Progress(Name, progress, isNew ? MessageImportance.High : MessageImportance.Low));
        }
    }

    private sealed class Reporter(QuantizeModel task) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value) => task.Report(value);
    }
}
