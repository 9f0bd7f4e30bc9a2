using System.Security.Cryptography;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Files;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Evaluation.Scores;

/// <summary>Loads models and data, checks that they fit each other, and evaluates.</summary>
public static class EvaluationRun
{
    /// <summary>Refuses data that cannot be evaluated, before work is spent on the models.</summary>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public static void Check(EvaluationJob job, CancellationToken cancellationToken)
    {
        var conversations = Read(job, cancellationToken);
        using var checkpoint = Checkpoint.Open(job.Model);
        EvaluationSet.Check(job.Data, conversations, ModelConfigReader.Read(checkpoint));
    }

    /// <summary>The figures, the reference's first.</summary>
    /// <param name="job">What to evaluate.</param>
    /// <param name="log">Hears of it.</param>
    /// <param name="cancellationToken">Obeyed within conversations.</param>
    /// <exception cref="MASQuantException">Bad input, with its code, file and remedy.</exception>
    public static IReadOnlyList<EvaluationResult> Run(EvaluationJob job, IEvaluationLog log, CancellationToken cancellationToken)
    {
        CheckModels(job);
        var conversations = Read(job, cancellationToken);
        var models = new List<LoadedModel>();
        try
        {
            models.Add(LoadedModel.Load(job.Model, job.Load));
            EvaluationSet.Check(job.Data, conversations, models[0].Config);
            foreach (var artifact in job.Artifacts)
            {
                CheckTokenizer(job.Model, artifact);
                models.Add(LoadedModel.Load(artifact, job.Load));
            }

            foreach (var warning in new CalibrationOverlap(job, conversations).Warnings(models[0].Config, cancellationToken))
            {
                log.Warn(warning);
            }

            log.Begin(conversations.Count);
            return new ModelEvaluation(models[0], [.. models.Skip(1)], job.MaxTokens).Run(conversations, [job.Model, .. job.Artifacts], log, cancellationToken);
        }
        finally
        {
            models.ForEach(loaded => loaded.Dispose());
        }
    }

    private static IReadOnlyList<Conversation> Read(EvaluationJob job, CancellationToken cancellationToken)
    {
        var conversations = ConversationFile.Read(job.Data, cancellationToken);
        return job.Limit == 0
            ? conversations
            : [.. conversations.GroupBy(conversation => conversation.Task).SelectMany(task => task.Take(job.Limit)).OrderBy(conversation => conversation.Line)];
    }

    // A model compared with itself has no error, whatever it is worth.
    private static void CheckModels(EvaluationJob job)
    {
        if (!job.QuantizedReference && File.Exists(job.Model))
        {
            throw new MASQuantException(DiagnosticCodes.ModelsNotComparable, job.Model,
                "The first model is the reference, in full precision, and this is a quantized one. Give the checkpoint's folder before it, or --quantized-reference if it is meant to be what others are compared with.");
        }

        foreach (var twice in job.Artifacts.Prepend(job.Model).GroupBy(path => LinkedFile.Target(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))).FullName).Where(same => same.Count() > 1))
        {
            throw new MASQuantException(DiagnosticCodes.ModelsNotComparable, twice.Last(), "The model is given twice, and one compared with itself has no error. Give each model once, the reference first.");
        }
    }

    private static void CheckTokenizer(string model, string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        using IModelSource reference = Directory.Exists(model) ? Checkpoint.Open(model) : Artifact.Open(model);
        using var artifact = Artifact.Open(path);
        if (Convert.ToHexStringLower(SHA256.HashData(reference.ReadFile("tokenizer.json").Span)) != artifact.Manifest.Tokenizer.Sha256)
        {
            throw new MASQuantException(DiagnosticCodes.ModelsNotComparable, path,
                $"The tokenizer differs from that of '{model}'. Compare an artifact with the checkpoint from which it was quantized.");
        }
    }
}
