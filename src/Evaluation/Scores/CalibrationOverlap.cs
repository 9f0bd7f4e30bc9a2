using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Evaluation.Scores;

/// <summary>Finds samples of an evaluation that calibrated an artifact: they flatter it.</summary>
internal sealed class CalibrationOverlap(EvaluationJob job, IReadOnlyList<Conversation> conversations)
{
    private const int NamedLines = 5;

    /// <summary>A warning for every calibration set that shares samples with the evaluation.</summary>
    /// <param name="config">The model's configuration.</param>
    /// <param name="cancellationToken">Obeyed while reading.</param>
    public IEnumerable<MASQuantException> Warnings(ModelConfig config, CancellationToken cancellationToken)
    {
        // A checkpoint has no calibration set.
        var sets = job.Artifacts.Where(path => !Directory.Exists(path)).Select(path => (Path: path, Facts: Facts(path))).Where(artifact => artifact.Facts is not null);
        foreach (var set in sets.GroupBy(artifact => artifact.Facts!.Sha256))
        {
            var (path, facts) = set.First();
            if (Find(path, facts!, config, cancellationToken) is { } calibration && WarningFor(calibration, [.. set.Select(artifact => Path.GetFileName(artifact.Path))]) is { } warning)
            {
                yield return warning;
            }
        }
    }

    private MASQuantException? WarningFor(CalibrationSet calibration, string[] artifacts)
    {
        var known = calibration.SampleHashes.ToHashSet();
        int[] lines = [.. conversations.Where(conversation => known.Contains(CalibrationSet.Hash(conversation))).Select(conversation => conversation.Line)];
        if (lines.Length == 0)
        {
            return null;
        }

        var named = string.Join(", ", lines.Take(NamedLines)) + (lines.Length > NamedLines ? ", …" : "");
        var description = $"{lines.Length} of {conversations.Count} samples (lines {named}) are in '{calibration.Path}', which calibrated {string.Join(", ", artifacts)}. These figures flatter: evaluate on other data.";
        return new MASQuantException(DiagnosticCodes.EvaluationOnCalibration, job.Data, description) { Line = lines[0] };
    }

    private static ManifestCalibration? Facts(string path)
    {
        using var artifact = Artifact.Open(path);
        return artifact.Manifest.Calibration;
    }

    // A manifest names its calibration file without a folder; one of that name counts if its content is the one that calibrated.
    private CalibrationSet? Find(string path, ManifestCalibration facts, ModelConfig config, CancellationToken cancellationToken)
    {
        if (job.CalibrationFile is { } given)
        {
            var whole = CalibrationSet.Load(given, config, cancellationToken);
            return Drawn(whole, facts, config) is var part && part.Sha256 == facts.Sha256 ? part : whole;
        }

        if (Path.GetFileName(facts.File) != facts.File)
        {
            return null;
        }

        foreach (var neighbour in (string[])[job.Data, path])
        {
            var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(neighbour))!, facts.File);
            if (File.Exists(file) && TryLoad(file, facts, config, cancellationToken) is { } found && found.Sha256 == facts.Sha256)
            {
                return found;
            }
        }

        return null;
    }

    private static CalibrationSet Drawn(CalibrationSet whole, ManifestCalibration facts, ModelConfig config)
        => facts.SubsetSeed is { } seed && facts.Samples <= whole.Conversations.Count ? whole.Take(new CalibrationSubset(facts.Samples, seed), config) : whole;

    private static CalibrationSet? TryLoad(string file, ManifestCalibration facts, ModelConfig config, CancellationToken cancellationToken)
    {
        try
        {
            return Drawn(CalibrationSet.Load(file, config, cancellationToken), facts, config);
        }
        catch (MASQuantException)
        {
            // Another file of the same name.
            return null;
        }
    }
}
