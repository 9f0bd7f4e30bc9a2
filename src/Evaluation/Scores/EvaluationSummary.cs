using MASQuant.Quantization.Calibration;

namespace MASQuant.Evaluation.Scores;

/// <summary>Sums deviations over the samples of a task or modality, and puts intervals to them.</summary>
/// <param name="conversations">The samples.</param>
/// <param name="deviations">Per sample: every model's, the reference's first.</param>
public sealed class EvaluationSummary(IReadOnlyList<Conversation> conversations, SampleDeviation[][] deviations)
{
    /// <summary>The figures of a model.</summary>
    public EvaluationResult Of(int model, string name) => new(name,
        [.. Enumerable.Range(0, conversations.Count).GroupBy(i => conversations[i].Task).Select(task => Task(task.Key, [.. task], model))],
        [.. Enum.GetValues<Modality>().Select(modality => AtModality(modality, model)).OfType<ModalityResult>()])
    {
        Changed = [.. Enumerable.Range(0, conversations.Count).Select(i => Changed(i, model)).OfType<ChangedAnswer>()],
    };

    private ChangedAnswer? Changed(int sample, int model)
        => deviations[sample][0].Answered is { } reference && deviations[sample][model].Answered is { } own && own != reference
            ? new ChangedAnswer(conversations[sample], ModelEvaluation.Expected(conversations[sample]), reference, own)
            : null;

    private TaskResult Task(string task, int[] samples, int model)
    {
        Figure Compare(Func<SampleDeviation, double> numerator, Func<SampleDeviation, double> denominator, bool exponential = false)
            => this.Compare(samples, model, numerator, denominator, exponential);

        return new TaskResult(task, samples.Length, samples.Sum(i => deviations[i][model].Answer.Tokens),
            Compare(d => d.Answer.KullbackLeibler, d => d.Answer.Tokens),
            Compare(d => d.Answer.Agreements, d => d.Answer.Tokens),
            Compare(d => d.Answer.NegativeLogLikelihood, d => d.Answer.Tokens, exponential: true),
            Compare(d => d.Score.WordErrors, d => d.Score.Words),
            Compare(d => d.Score.Exact, d => d.Score.Answers));
    }

    private ModalityResult? AtModality(Modality modality, int model)
    {
        TokenDivergence At(SampleDeviation deviation) => deviation.ByModality[(int)modality];

        int[] samples = [.. Enumerable.Range(0, conversations.Count).Where(i => At(deviations[i][0]).Tokens > 0)];
        if (samples.Length == 0)
        {
            return null;
        }

        var noise = new BlockNoise(deviations[0][0].Blocks.Layers);
        foreach (var i in samples)
        {
            noise.Add(deviations[i][model].Blocks);
        }

        return new ModalityResult(modality, samples.Length, samples.Sum(i => At(deviations[i][model]).Tokens),
            Compare(samples, model, d => At(d).KullbackLeibler, d => At(d).Tokens),
            Compare(samples, model, d => At(d).Agreements, d => At(d).Tokens),
            noise.Decibels(modality));
    }

    private Figure Compare(int[] samples, int model, Func<SampleDeviation, double> numerator, Func<SampleDeviation, double> denominator, bool exponential = false)
    {
        RatioOfSums Of(int m) => new([.. samples.Select(i => numerator(deviations[i][m]))], [.. samples.Select(i => denominator(deviations[i][m]))], exponential);
        return Bootstrap.Compare(Of(model), Of(0));
    }
}
