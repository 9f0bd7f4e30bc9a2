using MASQuant.Engine.Execution;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Evaluation.Scores;

/// <summary>Compares models on conversations whose last message is the expected answer.</summary>
/// <param name="reference">The full-precision model.</param>
/// <param name="candidates">The models to compare with it.</param>
/// <param name="maxTokens">The most tokens that an answer may have; 0 generates none.</param>
public sealed class ModelEvaluation(LoadedModel reference, IReadOnlyList<LoadedModel> candidates, int maxTokens)
{
    private readonly LoadedModel[] _models = [reference, .. candidates];
    private readonly SideBySide _sideBySide = new([reference.Decoder, .. candidates.Select(candidate => candidate.Decoder)]);

    /// <summary>Evaluates the reference itself, then every candidate. Equal models and conversations give equal figures.</summary>
    /// <param name="conversations">Each ends with a message of the assistant.</param>
    /// <param name="names">The models' names, the reference's first.</param>
    /// <param name="progress">Receives the number of conversations done.</param>
    /// <param name="cancellationToken">Obeyed within conversations.</param>
    public IReadOnlyList<EvaluationResult> Run(IReadOnlyList<Conversation> conversations, IReadOnlyList<string> names, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var deviations = new SampleDeviation[conversations.Count][];
        var done = 0;
        Workers.For(conversations.Count, i =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            deviations[i] = Evaluate(conversations[i], cancellationToken);
            progress?.Report(Interlocked.Increment(ref done));
        });
        var summary = new EvaluationSummary(conversations, deviations);
        return [.. names.Select((name, model) => summary.Of(model, name))];
    }

    /// <summary>The answer that a conversation ends with.</summary>
    internal static string Expected(Conversation conversation) => string.Concat(conversation.Messages[^1].Content.OfType<TextPart>().Select(part => part.Text));

    private SampleDeviation[] Evaluate(Conversation conversation, CancellationToken cancellationToken)
    {
        var deviations = _sideBySide.Run(Prepare(conversation, conversation.Messages, cancellationToken), cancellationToken);
        if (maxTokens > 0)
        {
            var open = Prepare(conversation, [.. conversation.Messages.SkipLast(1)], cancellationToken);
            var expected = Expected(conversation);
            for (var m = 0; m < _models.Length; m++)
            {
                var answer = Answer(_models[m], open[m], cancellationToken);
                deviations[m].Answered = answer;
                deviations[m].Score.Add(answer, expected);
            }
        }

        return deviations;
    }

    // What has the checkpoint's embedding and towers embeds as the reference does, which is then done once.
    private PreparedPrompt[] Prepare(Conversation conversation, IReadOnlyList<ChatMessage> messages, CancellationToken cancellationToken)
    {
        PreparedPrompt Of(LoadedModel model) => conversation.Placed(() => model.Prepare(messages, cancellationToken));
        var exact = Of(reference);
        return [exact, .. candidates.Select(candidate => candidate.Artifact?.HasCodedParts == true ? Of(candidate) : exact)];
    }

    private string Answer(LoadedModel model, PreparedPrompt prompt, CancellationToken cancellationToken)
        => model.Tokenizer.Decode(model.GenerateTokens(prompt, new GenerationOptions { MaxTokens = maxTokens }, cancellationToken), skipSpecial: true);
}
