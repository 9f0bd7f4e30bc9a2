using MASQuant.Calibration;
using MASQuant.Chat;
using MASQuant.Models;
using MASQuant.Tensors;

namespace MASQuant.Evaluation;

/// <summary>Compares models on conversations whose last message is the expected answer.</summary>
/// <param name="reference">The full-precision model.</param>
/// <param name="candidates">The models to compare with it.</param>
/// <param name="maxTokens">The most tokens that an answer may have; 0 generates none.</param>
public sealed class ModelEvaluation(MultimodalModel reference, IReadOnlyList<MultimodalModel> candidates, int maxTokens)
{
    private readonly MultimodalModel[] _models = [reference, .. candidates];
    private readonly SideBySide _sideBySide = new([reference.Decoder, .. candidates.Select(candidate => candidate.Decoder)]);

    /// <summary>Evaluates the reference itself, then every candidate. Equal models and conversations give equal figures.</summary>
    /// <param name="conversations">Each ends with a message of the assistant.</param>
    /// <param name="names">The models' names, the reference's first.</param>
    /// <param name="progress">Receives the number of conversations done.</param>
    /// <param name="cancellation">Obeyed within conversations.</param>
    public IReadOnlyList<EvaluationResult> Run(IReadOnlyList<Conversation> conversations, IReadOnlyList<string> names, IProgress<int>? progress, CancellationToken cancellation)
    {
        var deviations = new SampleDeviation[conversations.Count][];
        var done = 0;
        Workers.For(conversations.Count, i =>
        {
            cancellation.ThrowIfCancellationRequested();
            deviations[i] = Evaluate(conversations[i], cancellation);
            progress?.Report(Interlocked.Increment(ref done));
        });
        var summary = new EvaluationSummary(conversations, deviations);
        return [.. names.Select((name, model) => summary.Of(model, name))];
    }

    /// <summary>The answer that a conversation ends with.</summary>
    internal static string Expected(Conversation conversation) => string.Concat(conversation.Messages[^1].Content.OfType<TextPart>().Select(part => part.Text));

    private SampleDeviation[] Evaluate(Conversation conversation, CancellationToken cancellation)
    {
        var deviations = _sideBySide.Run(reference.Prepare(conversation.Messages, cancellation), cancellation);
        if (maxTokens > 0)
        {
            var open = reference.Prepare([.. conversation.Messages.SkipLast(1)], cancellation);
            var expected = Expected(conversation);
            for (var m = 0; m < _models.Length; m++)
            {
                var answer = Answer(_models[m], open, cancellation);
                deviations[m].Answered = answer;
                deviations[m].Score.Add(answer, expected);
            }
        }

        return deviations;
    }

    private string Answer(MultimodalModel model, PreparedPrompt prompt, CancellationToken cancellation)
        => model.Tokenizer.Decode(model.GenerateTokens(prompt, new GenerationOptions { MaxTokens = maxTokens }, cancellation), skipSpecial: true);
}
