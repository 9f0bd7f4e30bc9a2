namespace MASQuant.Evaluation;

/// <summary>One model's figures on the samples of one task.</summary>
/// <param name="Task">The task.</param>
/// <param name="Samples">The number of samples.</param>
/// <param name="Divergence">Teacher-forced on the answers, against the reference.</param>
/// <param name="Score">Of greedy answers; empty when none were generated.</param>
public sealed record TaskResult(string Task, int Samples, TokenDivergence Divergence, AnswerScore Score)
{
    /// <summary>KL(reference‖model) per token, in nats.</summary>
    public double MeanKullbackLeibler => Divergence.KullbackLeibler / Divergence.Tokens;

    /// <summary>The share of tokens whose most likely successor is the reference's.</summary>
    public double Agreement => (double)Divergence.Agreements / Divergence.Tokens;

    /// <summary>exp of the mean negative log-likelihood of the expected answers.</summary>
    public double Perplexity => Math.Exp(Divergence.NegativeLogLikelihood / Divergence.Tokens);

    /// <summary>Word error rate of the generated answers; for strips of digits, the digit error.</summary>
    public double WordErrorRate => (double)Score.WordErrors / Score.Words;

    /// <summary>The share of generated answers that are exactly right.</summary>
    public double ExactRate => (double)Score.Exact / Score.Answers;
}

/// <summary>One model's figures.</summary>
/// <param name="Model">Its path.</param>
/// <param name="Tasks">One entry per task, in the order in which tasks first occur.</param>
public sealed record EvaluationResult(string Model, IReadOnlyList<TaskResult> Tasks);
