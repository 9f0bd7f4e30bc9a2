using MASQuant.Quantization.Calibration;

namespace MASQuant.Evaluation.Scores;

/// <summary>One model's figures.</summary>
/// <param name="Model">Its path.</param>
/// <param name="Tasks">One entry per task, in the order in which tasks first occur.</param>
/// <param name="Modalities">One entry per modality that occurs, over all tasks.</param>
public sealed record EvaluationResult(string Model, IReadOnlyList<TaskResult> Tasks, IReadOnlyList<ModalityResult> Modalities)
{
    /// <summary>The samples that the model answered otherwise than the full-precision one, in the order of the data; empty when no answers were generated.</summary>
    public IReadOnlyList<ChangedAnswer> Changed { get; init; } = [];
}

/// <summary>A sample whose answer quantization has changed.</summary>
/// <param name="Conversation">The sample.</param>
/// <param name="Expected">The right answer.</param>
/// <param name="Reference">The full-precision model's.</param>
/// <param name="Own">The quantized model's.</param>
public sealed record ChangedAnswer(Conversation Conversation, string Expected, string Reference, string Own);

/// <summary>One model's figures on the samples of one task.</summary>
/// <param name="Task">The task.</param>
/// <param name="Samples">The number of samples.</param>
/// <param name="Tokens">The tokens of the expected answers.</param>
/// <param name="KullbackLeibler">KL(reference‖model) of the next-token distributions over the expected answers, mean per token, in nats.</param>
/// <param name="Agreement">The share of these tokens for which both models rank the same one first.</param>
/// <param name="Perplexity">exp of the mean negative log-likelihood of the expected answers.</param>
/// <param name="WordErrorRate">Of the generated answers; for strips of digits, the digit error.</param>
/// <param name="ExactRate">The share of generated answers that are exactly right.</param>
public sealed record TaskResult(string Task, int Samples, long Tokens, Figure KullbackLeibler, Figure Agreement, Figure Perplexity, Figure WordErrorRate, Figure ExactRate);

/// <summary>One model's figures at the tokens of one modality, prompts included: no labels are needed.</summary>
/// <param name="Modality">The modality.</param>
/// <param name="Samples">The samples that hold it.</param>
/// <param name="Tokens">Its tokens.</param>
/// <param name="KullbackLeibler">KL(reference‖model) of the distributions after these tokens, mean per token, in nats.</param>
/// <param name="Agreement">The share of these tokens after which both models rank the same token first.</param>
/// <param name="BlockSqnr">The SQNR of every decoder block's output at these tokens, all blocks before it quantized too, in dB.</param>
public sealed record ModalityResult(Modality Modality, int Samples, long Tokens, Figure KullbackLeibler, Figure Agreement, IReadOnlyList<double> BlockSqnr);
