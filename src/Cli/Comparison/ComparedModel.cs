using MASQuant.Delivery.Stores;
using MASQuant.Cli.Options;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Quantization;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Comparison;

/// <summary>One combination of a method, a scheme and values of swept options.</summary>
/// <param name="Method">A preset of <see cref="QuantizationMethod"/>.</param>
/// <param name="Swept">The swept options, in the command line's order.</param>
/// <param name="Job">What is quantized, how and where to.</param>
internal sealed record ComparedModel(string Method, IReadOnlyList<SweptValue> Swept, QuantizationJob Job)
{
    /// <summary>The artifact's file.</summary>
    public string Artifact => Path.Combine(Job.OutputFolder, Job.Name + ModelFiles.ArtifactSuffix);

    /// <summary>The scheme's name.</summary>
    public string Scheme => Job.Options.Scheme.ToString();

    /// <summary>Method, scheme and swept values, for people.</summary>
    public string Label => string.Join(' ', [Method, Scheme, .. Swept.Select(value => $"{value.Option}={value.Value}")]);

    /// <summary>How long it takes, relative to a method that learns nothing; it only shapes the estimate of the time left.</summary>
    public double Effort => Job.Options.Smoothing == SmoothingKind.None ? 1 : 1 + (2 * Job.Options.Epochs);

    private string KeyFile => Path.Combine(Job.OutputFolder, Job.Name + ".key");

    /// <summary>Whether an earlier run left this very artifact.</summary>
    public bool IsFinished(string key)
        => File.Exists(Artifact) && File.Exists(KeyFile) && File.ReadAllText(KeyFile) == key;

    /// <summary>Quantizes it.</summary>
    public void Quantize(string key, IProgress<QuantizationProgress> progress, CancellationToken cancellationToken)
    {
        // First: an artifact without its key is made again, one with another's would be taken for it.
        if (File.Exists(KeyFile))
        {
            File.Delete(KeyFile);
        }

        QuantizationPipeline.Run(Job, progress, cancellationToken);
        UnfinishedRuns.Tidy(Job.OutputFolder);
        AtomicFile.Write(KeyFile, System.Text.Encoding.ASCII.GetBytes(key));
    }
}
