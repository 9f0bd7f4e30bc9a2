using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Scores;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Budgets;

public class EvaluationLossTests
{
    /// <summary>Conversations of different lengths and tasks, each evaluated by itself, give the mean over tokens; conversations beyond the limit are not read.</summary>
    [Fact]
    public void The_loss_is_the_mean_over_the_tokens_of_the_first_conversations()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path, new QuantizationOptions { Epochs = 0, Rank = 0, WeightQuantizer = WeightQuantizerKind.Rtn });
        QuantizationPipeline.Run(job);
        var file = Path.Combine(folder.Path, "eval.jsonl");
        string[] answers = ["In the beginning.", "Yes.", "God created the heaven and the earth."];
        File.WriteAllLines(file, Enumerable.Range(0, EvaluationLoss.MaxConversations + 3).Select(i => i < EvaluationLoss.MaxConversations
            ? $$"""{"task": "t{{i % 2}}", "messages": [{"role": "user", "content": "Verse {{i % 5}}."}, {"role": "assistant", "content": "{{answers[i % 3]}}"}]}"""
            : """{"task": "far", "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "zq zq zq zq zq zq zq zq zq zq zq zq"}]}"""));

        var loss = EvaluationLoss.Measure(job.ModelFolder, TinyRun.ArtifactPath(job), file);

        using var reference = LoadedModel.Load(job.ModelFolder);
        using var quantized = LoadedModel.Load(TinyRun.ArtifactPath(job));
        var evaluation = new ModelEvaluation(reference, [quantized], maxTokens: 0);
        var (sum, tokens) = (0.0, 0L);
        foreach (var conversation in ConversationFile.Read(file).Take(EvaluationLoss.MaxConversations))
        {
            var task = Assert.Single(evaluation.Run([conversation], ["", ""], null, default)[1].Tasks);
            sum += task.KullbackLeibler.Value * task.Tokens;
            tokens += task.Tokens;
        }

        Assert.Equal((tokens, EvaluationLoss.MaxConversations), (loss.Tokens, loss.Conversations));
        Assert.Equal(sum / tokens, loss.KullbackLeibler, 1e-12); // sums of some hundred terms in other orders
        Assert.True(loss.KullbackLeibler > 1e-4);
    }

    [Fact]
    public void A_conversation_without_an_answer_is_refused()
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path);
        var file = Path.Combine(folder.Path, "eval.jsonl");
        File.WriteAllText(file, """{"messages": [{"role": "user", "content": "Hello."}]}""");
        var error = Assert.Throws<MASQuantException>(() => EvaluationLoss.Measure(job.ModelFolder, TinyRun.ArtifactPath(job), file));
        Assert.Equal((DiagnosticCodes.ExpectedAnswerMissing, 1), (error.Code, error.Line));
    }
}
