using MASQuant.Engine.Execution;
using MASQuant.Engine.Models;
using MASQuant.Evaluation.Scores;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Evaluation.Budgets;

/// <summary>How far a quantized model's answers lie from the full-precision model's.</summary>
/// <param name="KullbackLeibler">KL(full precision‖quantized) of the next-token distributions over the expected answers, teacher-forced, mean per token, in nats.</param>
/// <param name="Tokens">The tokens of these answers.</param>
/// <param name="Conversations">How many conversations were used.</param>
public sealed record EvaluationLoss(double KullbackLeibler, long Tokens, int Conversations)
{
    /// <summary>The first so many conversations of a set are used, which bounds the time.</summary>
    public const int MaxConversations = 64;

    /// <summary>Measures the loss. Holds both models in memory.</summary>
    /// <param name="modelFolder">The checkpoint.</param>
    /// <param name="artifact">What was made of it.</param>
    /// <param name="evaluationFile">Conversations in JSON Lines, each ending with the expected answer.</param>
    /// <param name="progress">Receives the number of conversations done, or null.</param>
    /// <param name="cancellationToken">Obeyed within conversations.</param>
    /// <exception cref="MASQuantException">The models or the conversations cannot be read, or do not fit each other.</exception>
    public static EvaluationLoss Measure(string modelFolder, string artifact, string evaluationFile, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        Conversation[] conversations = [.. ConversationFile.Read(evaluationFile, cancellationToken).Take(MaxConversations)];
        var options = new ModelOptions { Limits = ImageBudget.OwnPrompts };
        using var reference = LoadedModel.Load(modelFolder, options);
        EvaluationSet.Check(evaluationFile, conversations, reference.Config);
        using var quantized = LoadedModel.Load(artifact, options);
        var result = new ModelEvaluation(reference, [quantized], maxTokens: 0).Run(conversations, [modelFolder, artifact], progress, cancellationToken)[1];
        var tokens = result.Tasks.Sum(task => task.Tokens);
        return new EvaluationLoss(result.Tasks.Sum(task => task.KullbackLeibler.Value * task.Tokens) / tokens, tokens, conversations.Length);
    }
}
