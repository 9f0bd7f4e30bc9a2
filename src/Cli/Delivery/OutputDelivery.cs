using MASQuant.Delivery;
using MASQuant.Delivery.Caching;
using MASQuant.Delivery.Stores;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Platform;
using MASQuant.Quantization;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Parts;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Delivery;

/// <summary>Brings models to folders that a person named: from the caches of builds, or by quantizing, and then the caches have them too.</summary>
/// <param name="caches">The caches.</param>
/// <param name="log">Hears of them.</param>
internal sealed class OutputDelivery(CacheSettings caches, IDeliveryLog log)
{
    // One command warns of a remote cache once, however many models it brings.
    private readonly string _command = Guid.NewGuid().ToString();

    /// <summary>Where the last model that was quantized kept its finished blocks.</summary>
    public string Blocks { get; private set; } = "";

    /// <summary>Whether an earlier run left this very artifact in the job's folder.</summary>
    public static bool IsKept(QuantizationJob job, string key) => NoteOf(job).Says(key);

    /// <summary>Brings a model, and notes its key beside it for <see cref="IsKept"/>.</summary>
    /// <returns>Whether it had to be quantized.</returns>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public bool Keep(QuantizationJob job, string key, IProgress<QuantizationProgress> progress, CancellationToken cancellationToken)
    {
        using var alone = OutputLock.Take(job.OutputFolder, job.Name, log, cancellationToken);
        if (IsKept(job, key))
        {
            return false; // by another process, meanwhile
        }

        var quantized = Bring(job, () => key, progress, cancellationToken);
        NoteOf(job).Write(key);
        return quantized;
    }

    /// <summary>Brings a model. The caller holds the <see cref="OutputLock"/>.</summary>
    /// <param name="job">The model; its work folder is chosen here.</param>
    /// <param name="key">Its key; without a cache nobody asks for it.</param>
    /// <param name="progress">Hears of a quantization.</param>
    /// <param name="cancellationToken">Stops it, copies and transfers.</param>
    /// <returns>Whether it had to be quantized.</returns>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public bool Bring(QuantizationJob job, Func<string> key, IProgress<QuantizationProgress> progress, CancellationToken cancellationToken)
    {
        var quantized = false;
        NoteOf(job).Remove();
        if (caches.Folder is null)
        {
            Quantize(job with { WorkFolder = UnfinishedRuns.FolderOf(job.OutputFolder, job.Name) });
        }
        else
        {
            // Before any work: the output comes last.
            FileBorder.Write(job.OutputFolder, () => FileSystem.Current.CreateFolder(job.OutputFolder));
            var target = new OutputFolder(job.OutputFolder, UnfinishedRuns.ParentOf(job.OutputFolder));
            new ArtifactDelivery(target, caches, key(), job.Name, log) { Build = _command, MaxBytes = ModelInputs.MostArtifactBytes(job.ModelFolder) }.Run(run => Quantize(run.Start(job)), cancellationToken);
        }

        return quantized;

        void Quantize(QuantizationJob here)
        {
            Blocks = here.WorkFolder;
            QuantizationPipeline.Run(here, progress, cancellationToken);
            quantized = true;
        }
    }

    /// <summary>Joins parts, and notes the key of what they make. The caller holds the <see cref="OutputLock"/>.</summary>
    /// <param name="job">Its checkpoint, output folder and name.</param>
    /// <param name="set">The parts.</param>
    /// <param name="cancellationToken">Stops it; no partial artifact is left.</param>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public static Manifest Join(QuantizationJob job, PartSet set, CancellationToken cancellationToken)
    {
        NoteOf(job).Remove();
        var manifest = PartPipeline.Join(job.ModelFolder, set, job.OutputFolder, job.Families, cancellationToken);
        NoteOf(job).Write(set.Key);
        return manifest;
    }

    private static KeyNote NoteOf(QuantizationJob job) => new(job.OutputFolder, job.Name);
}
