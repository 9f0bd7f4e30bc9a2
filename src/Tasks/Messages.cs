using System.Globalization;
using MASQuant.Delivery.Caching;
using MASQuant.Diagnostics;
using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Reports;
using MASQuant.Quantization.Facts;
using MASQuant.Quantization.Options;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace MASQuant.Tasks;

/// <summary>Everything the tasks say.</summary>
internal static class Messages
{
    public static MASQuantException ModelFolderMissing(string project, string include) => new(DiagnosticCodes.ModelFolderMissing, project,
        $"QuantizedModel '{include}' is not a folder with a config.json. Name the folder of a checkpoint.");

    public static MASQuantException CalibrationNotGiven(string project, string include) => new(DiagnosticCodes.CalibrationMissing, project,
        $"QuantizedModel '{include}' has no Calibration. Name a JSON Lines file of chats, Calibration=\"data/calibration.jsonl\".");

    public static MASQuantException CalibrationMissing(string project, string include, string file) => new(DiagnosticCodes.CalibrationMissing, project,
        $"The Calibration of QuantizedModel '{include}', '{file}', does not exist. Name a JSON Lines file of chats, relative to the project.");

    public static MASQuantException EvaluationNotGiven(string project, string include) => new(DiagnosticCodes.EvaluationDataMissing, project,
        $"QuantizedModel '{include}' has MaxEvaluationLoss but no Evaluation. Name a JSON Lines file of chats that end with the expected answer, Evaluation=\"data/eval.jsonl\".");

    public static MASQuantException EvaluationMissing(string project, string include, string file) => new(DiagnosticCodes.EvaluationDataMissing, project,
        $"The Evaluation of QuantizedModel '{include}', '{file}', does not exist. Name a JSON Lines file of chats that end with the expected answer, relative to the project.");

    public static MASQuantException TokenizerMissing(string file) => new(DiagnosticCodes.ModelFileMissing, file,
        $"The model lacks '{Path.GetFileName(file)}'. Take it from the checkpoint's repository and put it beside the weights.");

    public static MASQuantException DuplicateName(string project, string name) => new(DiagnosticCodes.DuplicateModelName, project,
        $"Two QuantizedModel items are named '{name}'. Give one of them another Name.");

    public static MASQuantException UnknownMetadata(string project, string include, string word, string closest) => new(DiagnosticCodes.UnknownMetadata, project,
        $"QuantizedModel '{include}' has metadata '{word}', which means nothing. Did you mean '{closest}'?");

    public static MASQuantException Unexpected(string model, Exception exception) => exception is IOException or UnauthorizedAccessException
        ? new(DiagnosticCodes.FileSystemRefused, model, $"{exception.Message.TrimEnd('.')}. Check permissions and free space, then build again.", exception)
        : new(DiagnosticCodes.QuantizationFailed, model, $"Quantizing failed unexpectedly: {exception.GetType().Name}: {exception.Message} Build again with -v:diagnostic for the place, and report it.", exception);

    public static MASQuantException JobNotValid(string project, string name, string key) => new(DiagnosticCodes.CacheSettingNotAllowed, project,
        $"'{name}' with the key '{key}' is no model to quantize. Take both from what MASQuantPrepare gives.");

    public static BuildMessageEventArgs NoClass(string name, string language) => ModelEvents.Create(ModelEvents.NoClass, name,
        $"{name}: {language} gets no class; the artifact comes with the output. Load it: MultimodalModel.LoadBuilt(\"{EntryNames.Of(name).Artifact}\")");

    public static BuildMessageEventArgs Started(string name, string modelFolder, string project, QuantizationOptions options) => ModelEvents.Create(ModelEvents.Started, name,
        $"{name}: quantizing {modelFolder} to {options.Scheme} for {Path.GetFileName(project)}");

    public static BuildMessageEventArgs Quantized(string name, TimeSpan time, long bytes) => ModelEvents.Create(ModelEvents.Quantized, name,
        string.Create(CultureInfo.InvariantCulture, $"{name}: quantized in {time.TotalSeconds:F0} s, {bytes / 1e6:F1} MB"));

    public static BuildMessageEventArgs Evaluating(string name, string file) => ModelEvents.Create(ModelEvents.Evaluating, name, $"{name}: measuring the evaluation loss on {file}");

    public static BuildMessageEventArgs Evaluated(string name, EvaluationLoss loss) => ModelEvents.Create(ModelEvents.Evaluated, name,
        string.Create(CultureInfo.InvariantCulture, $"{name}: evaluation loss {loss.KullbackLeibler:0.######} nats per token over {loss.Conversations} conversations"));

    public static BuildMessageEventArgs Cancelled(string name) => ModelEvents.Create(ModelEvents.Cancelled, name, $"{name}: cancelled; the next build resumes after the last finished layer");

    public static BuildMessageEventArgs Progress(string name, QuantizationProgress progress, MessageImportance importance)
    {
        var left = progress.Remaining is { } time ? $", {Figures.Estimate(time)} left" : "";
        var isResumed = progress is { Stage: QuantizationStage.Prepare, Layer: >= 0 };
        return ModelEvents.Create(isResumed ? ModelEvents.BlockResumed : ModelEvents.Progress, name,
            string.Create(CultureInfo.InvariantCulture, $"{name}: {progress.Message} ({progress.Fraction:P0}{left})"), importance);
    }

    /// <summary>Logs an error as compilers do, with code, file and line.</summary>
    public static void LogError(this TaskLoggingHelper log, MASQuantException problem)
    {
        log.LogError(null, problem.Code, null, FileOf(problem), problem.Line, 0, 0, 0, "{0}", problem.Description);
        if (problem.InnerException is { } cause)
        {
            log.LogMessage(MessageImportance.Low, "{0}", VisibleText.OfLines(cause.ToString()));
        }
    }

    /// <summary>Logs a warning as compilers do, with code, file and line.</summary>
    public static void LogWarning(this TaskLoggingHelper log, MASQuantException problem)
        => log.LogWarning(null, problem.Code, null, FileOf(problem), problem.Line, 0, 0, 0, "{0}", problem.Description);

    private static string? FileOf(MASQuantException problem) => problem.File is { } file ? VisibleText.Of(file) : null;
}
