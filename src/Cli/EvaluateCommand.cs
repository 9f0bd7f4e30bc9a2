using System.CommandLine;
using System.Security.Cryptography;
using MASQuant.Artifacts;
using MASQuant.Calibration;
using MASQuant.Chat;
using MASQuant.Diagnostics;
using MASQuant.Evaluation;
using MASQuant.Safetensors;

namespace MASQuant.Cli;

/// <summary><c>masquant evaluate</c>: how far quantized models are from the original.</summary>
internal static class EvaluateCommand
{
    private const int DefaultMaxTokens = 24;
    private const string StandardOutput = "-";

    public static Command Create(CommandConsole console, CancellationToken cancellation)
    {
        var model = new Argument<string>("MODEL") { Description = "The checkpoint's folder: the reference." };
        var rest = new Argument<string[]>("[ARTIFACT…] DATA.jsonl")
        {
            Arity = new ArgumentArity(1, 1000),
            Description = "The models to compare, then the data: conversations, each ending with the expected answer. 'task' groups them.",
        };
        var maxTokens = CliOptions.Number("--max-tokens", DefaultMaxTokens, value => value >= 1, "1 or more", "The most tokens of a generated answer.");
        var noGenerate = new Option<bool>("--no-generate") { Description = "Skips generated answers, and with them error and exact rates." };
        var json = CliOptions.Text("--json", "FILE", "Writes the figures as JSON; '-' for standard output, in place of the table.");
        var markdown = CliOptions.Text("--markdown", "FILE", "Writes the table as Markdown; '-' for standard output, in place of the table.");
        var calibration = CliOptions.Text("--calibration", "FILE", "The calibration set, to warn of samples in both. Without it, the file of the artifact's manifest is looked for beside DATA and the artifact.");
        var command = new CliCommand("evaluate", "Compares models with a full-precision one: divergence, agreement, perplexity, errors of generated answers, per task.",
            "MODEL [ARTIFACT…] DATA.jsonl [options]",
            "masquant evaluate models/omni-tiny out/OmniTiny.masquant.safetensors data/eval.jsonl",
            "masquant evaluate models/omni-tiny out/A.masquant.safetensors out/B.masquant.safetensors data/eval.jsonl --no-generate --json -")
        { model, rest, maxTokens, noGenerate, json, markdown, calibration };
        command.SetAction(parse =>
        {
            var paths = parse.GetRequiredValue(rest);
            var tokens = parse.GetValue(noGenerate) ? 0 : parse.GetValue(maxTokens);
            var job = new EvaluationJob(parse.GetRequiredValue(model), paths[..^1], paths[^1], tokens, parse.GetValue(calibration));
            var results = Run(console, job, cancellation);
            Write(console, job, results, parse.GetValue(json), parse.GetValue(markdown));
            return ExitCode.Done;
        });
        return command;
    }

    private static IReadOnlyList<EvaluationResult> Run(CommandConsole console, EvaluationJob job, CancellationToken cancellation)
    {
        var conversations = ConversationFile.Read(job.Data, cancellation);
        var models = new List<MultimodalModel>();
        try
        {
            models.Add(MultimodalModel.Load(job.Model));
            CalibrationSet.CheckModalities(job.Data, conversations, models[0].Config);
            CheckAnswers(job.Data, conversations);
            foreach (var artifact in job.Artifacts)
            {
                CheckTokenizer(job.Model, artifact);
                models.Add(MultimodalModel.Load(artifact));
            }

            var overlap = new CalibrationOverlap(job, conversations);
            foreach (var artifact in job.Artifacts)
            {
                if (overlap.WarningFor(artifact, models[0].Config, cancellation) is { } warning)
                {
                    console.Error.WriteLine(warning);
                }
            }

            var progress = new EvaluationReporter(console, conversations.Count);
            try
            {
                return new ModelEvaluation(models[0], [.. models.Skip(1)], job.MaxTokens).Run(conversations, [job.Model, .. job.Artifacts], progress, cancellation);
            }
            finally
            {
                progress.Clear();
            }
        }
        finally
        {
            models.ForEach(loaded => loaded.Dispose());
        }
    }

    private static void CheckAnswers(string data, IReadOnlyList<Conversation> conversations)
    {
        foreach (var conversation in conversations)
        {
            if (conversation.Messages is not [_, .., { Role: ChatRole.Assistant } answer] || !answer.Content.Any(part => part is TextPart { Text.Length: > 0 }))
            {
                throw new MasQuantException(DiagnosticCodes.ExpectedAnswerMissing, data,
                    "The conversation does not end with an answer of the assistant. Add it as the last message.")
                { Line = conversation.Line };
            }
        }
    }

    private static void CheckTokenizer(string model, string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        using var checkpoint = Checkpoint.Open(model);
        using var artifact = Artifact.Open(path);
        if (Convert.ToHexStringLower(SHA256.HashData(checkpoint.ReadFile("tokenizer.json").Span)) != artifact.Manifest.Tokenizer.Sha256)
        {
            throw new MasQuantException(DiagnosticCodes.ModelsNotComparable, path,
                $"The tokenizer differs from that of '{model}'. Compare an artifact with the checkpoint from which it was quantized.");
        }
    }

    private static void Write(CommandConsole console, EvaluationJob job, IReadOnlyList<EvaluationResult> results, string? json, string? markdown)
    {
        if (json is not null)
        {
            Write(console, json, EvaluationReport.Json(job, results));
        }

        if (markdown is not null)
        {
            using var text = new StringWriter { NewLine = "\n" };
            EvaluationReport.Table(job, results).WriteMarkdown(text);
            Write(console, markdown, text.ToString());
        }

        if (json != StandardOutput && markdown != StandardOutput)
        {
            EvaluationReport.Table(job, results).Write(console.Output);
        }
    }

    private static void Write(CommandConsole console, string file, string text)
    {
        if (file == StandardOutput)
        {
            console.Output.Write(text);
            return;
        }

        AtomicFile.Write(file, System.Text.Encoding.UTF8.GetBytes(text));
    }
}
