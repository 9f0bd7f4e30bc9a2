using System.Globalization;
using System.Reflection;
using System.Text;
using MASQuant.Engine.Execution;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Run;

/// <summary>Identifies an artifact by everything that shapes it: the code, the model's name, the options, and the contents of every input file. Equal keys, equal bytes.</summary>
public static class ArtifactKey
{
    // What decides the bytes. A module's identity changes with its code.
    private static readonly Module[] Code = [typeof(Modality).Module, typeof(Manifest).Module, typeof(LoadedModel).Module, typeof(ArtifactKey).Module];

    /// <summary>The key, 64 lower-case hexadecimal digits, as remote caches want them. Media count if the conversations that name them can be read; the pipeline refuses the others.</summary>
    /// <param name="job">What is quantized, and how; where to makes no difference.</param>
    /// <exception cref="MASQuantException">MASQ0516: the options ask for a compute assembly that is not there.</exception>
    /// <param name="contentHash">The SHA-256 of a file's content, <see cref="ContentHash.OfFile"/> or something that remembers it.</param>
    public static string Of(QuantizationJob job, Func<string, string> contentHash)
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(job.ModelFolder));
        var calibration = Path.GetFullPath(job.CalibrationFile);
        var text = new StringBuilder("masquant 4\n");
        Add(text, "model", job.Name, Path.GetFileName(folder)); // The manifest says both.
        foreach (var module in Code)
        {
            Add(text, "code", module.Assembly.GetName().Name!, module.ModuleVersionId.ToString());
        }

        if (ComputeAssembly.CodeOf(job.Options.Compute, job.ComputeAssembly) is { Length: > 0 } code)
        {
            Add(text, "code", nameof(ComputeAssembly), code);
        }

        foreach (var (word, value) in OptionTable.Write(job.Options))
        {
            Add(text, "option", word, value);
        }

        foreach (var file in ModelInputs.OfCheckpoint(folder))
        {
            Add(text, "checkpoint", Path.GetFileName(file), contentHash(file));
        }

        foreach (var file in ModelInputs.OfConversations(calibration).Prepend(calibration))
        {
            Add(text, "calibration", Path.GetRelativePath(Path.GetDirectoryName(calibration)!, file).Replace('\\', '/'), contentHash(file));
        }

        if (job.Subset is { } subset)
        {
            Add(text, "subset", subset.Samples.ToString(CultureInfo.InvariantCulture), subset.Seed.ToString(CultureInfo.InvariantCulture));
        }

        return ContentHash.OfText(text.ToString());
    }

    /// <summary>The key of an artifact that was joined from parts, which is another one than a single run makes.</summary>
    /// <param name="key">The single run's.</param>
    /// <param name="parts">The parts' blocks, in order.</param>
    public static string OfParts(string key, IEnumerable<BlockRange> parts)
        => ContentHash.OfText($"masquant parts 1\n{key}\n{string.Join(' ', parts)}\n");

    private static void Add(StringBuilder text, string kind, string name, string value) => text.Append(kind).Append(' ').Append(name).Append(' ').Append(value).Append('\n');
}
