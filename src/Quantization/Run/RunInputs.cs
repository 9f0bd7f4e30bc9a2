using MASQuant.Diagnostics;
using MASQuant.Formats.Files;

namespace MASQuant.Quantization.Run;

/// <summary>The input files of a run, watched from before the first is read until its result gets its name: what was made of files that changed in between belongs under nobody's key.</summary>
internal sealed class RunInputs
{
    private readonly QuantizationJob _job;
    private readonly Dictionary<string, string?> _stamps;

    private RunInputs(QuantizationJob job, Dictionary<string, string?> stamps) => (_job, _stamps) = (job, stamps);

    /// <summary>Notes what the files look like. To be called before any is read; what cannot be read is for readers to refuse.</summary>
    public static RunInputs Watch(QuantizationJob job) => new(job, Files(job).Distinct(StringComparer.Ordinal).ToDictionary(file => file, Stamp));

    /// <summary>The key of what the run makes.</summary>
    /// <exception cref="MASQuantException">MASQ0524: the files have changed, or are not those of the key that the job is to make.</exception>
    public string Key(CancellationToken cancellationToken)
    {
        var key = ArtifactKey.Of(_job, file => ContentHash.OfFile(file, cancellationToken));
        RequireUnchanged();
        return _job.Key is null || _job.Key == key ? key : throw Changed(_job.ModelFolder, "An input file");
    }

    /// <summary>Looks at sizes and times: before anything made of the files is kept.</summary>
    /// <exception cref="MASQuantException">MASQ0524: a file has changed.</exception>
    public void RequireUnchanged()
    {
        foreach (var (file, stamp) in _stamps)
        {
            if (Stamp(file) != stamp)
            {
                throw Changed(file, "The file");
            }
        }
    }

    /// <summary>Reads all files again: before the result gets its name.</summary>
    /// <param name="key">What <see cref="Key"/> gave.</param>
    /// <param name="cancellationToken">Obeyed while files are hashed.</param>
    /// <exception cref="MASQuantException">MASQ0524: a file has changed.</exception>
    public void RequireSame(string key, CancellationToken cancellationToken)
    {
        if (Key(cancellationToken) != key)
        {
            throw Changed(_job.ModelFolder, "An input file");
        }
    }

    private static MASQuantException Changed(string file, string what) => new(DiagnosticCodes.InputChanged, file,
        $"{what} changed while the model was being quantized. Nothing made of it was kept. Let downloads and copies end, then quantize again.");

    // A file that has gone has changed.
    private static string? Stamp(string file)
    {
        try
        {
            return File.Exists(file) ? FileStamp.Of(file) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static IEnumerable<string> Files(QuantizationJob job)
    {
        var (model, calibration) = (Path.GetFullPath(job.ModelFolder), Path.GetFullPath(job.CalibrationFile));
        return (Directory.Exists(model) ? ModelInputs.OfCheckpoint(model) : [])
            .Concat(File.Exists(calibration) ? ModelInputs.OfConversations(calibration).Prepend(calibration) : []);
    }
}
