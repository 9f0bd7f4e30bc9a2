using MASQuant.Artifacts;
using MASQuant.Calibration;
using MASQuant.Configuration;
using MASQuant.Diagnostics;

namespace MASQuant.Cli;

/// <summary>Finds samples of an evaluation that calibrated an artifact: they flatter it.</summary>
internal sealed class CalibrationOverlap(EvaluationJob job, IReadOnlyList<Conversation> conversations)
{
    private const int NamedLines = 5;

    /// <summary>The warning, or null.</summary>
    /// <param name="artifact">An artifact; a checkpoint has no calibration set.</param>
    /// <param name="config">The model's configuration.</param>
    /// <param name="cancellation">Obeyed while reading.</param>
    public string? WarningFor(string artifact, ModelConfig config, CancellationToken cancellation)
    {
        if (Directory.Exists(artifact) || Find(artifact, config, cancellation) is not { } calibration)
        {
            return null;
        }

        var known = calibration.SampleHashes.ToHashSet();
        int[] lines = [.. conversations.Where(conversation => known.Contains(CalibrationSet.Hash(conversation))).Select(conversation => conversation.Line)];
        if (lines.Length == 0)
        {
            return null;
        }

        var named = string.Join(", ", lines.Take(NamedLines)) + (lines.Length > NamedLines ? ", …" : "");
        return $"{job.Data}({lines[0]}): warning {DiagnosticCodes.EvaluationOnCalibration}: {lines.Length} of {conversations.Count} samples (lines {named}) are in '{calibration.Path}', "
            + $"which calibrated {Path.GetFileName(artifact)}. Its figures flatter it: evaluate on other data.";
    }

    // A manifest names its calibration file without a folder; one of that name counts if its content is the one that calibrated.
    private CalibrationSet? Find(string path, ModelConfig config, CancellationToken cancellation)
    {
        if (job.CalibrationFile is { } given)
        {
            return CalibrationSet.Load(given, config, cancellation);
        }

        using var artifact = Artifact.Open(path);
        if (artifact.Manifest.Calibration is not { } facts || Path.GetFileName(facts.File) != facts.File)
        {
            return null;
        }

        foreach (var neighbour in (string[])[job.Data, path])
        {
            var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(neighbour))!, facts.File);
            if (File.Exists(file) && TryLoad(file, config, cancellation) is { } found && found.Sha256 == facts.Sha256)
            {
                return found;
            }
        }

        return null;
    }

    private static CalibrationSet? TryLoad(string file, ModelConfig config, CancellationToken cancellation)
    {
        try
        {
            return CalibrationSet.Load(file, config, cancellation);
        }
        catch (MasQuantException)
        {
            // Another file of the same name.
            return null;
        }
    }
}
