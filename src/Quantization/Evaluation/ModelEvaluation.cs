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
    /// <summary>Evaluates the reference itself, then every candidate.</summary>
    /// <param name="conversations">Each ends with a message of the assistant.</param>
    /// <param name="names">The models' names, the reference's first.</param>
    /// <param name="progress">Receives the number of conversations done.</param>
    /// <param name="cancellation">Obeyed between conversations.</param>
    public IReadOnlyList<EvaluationResult> Run(IReadOnlyList<Conversation> conversations, IReadOnlyList<string> names, IProgress<int>? progress, CancellationToken cancellation)
    {
        MultimodalModel[] models = [reference, .. candidates];
        var divergences = new TokenDivergence[conversations.Count][];
        var answers = new string[conversations.Count][];
        var done = 0;
        Workers.For(conversations.Count, i =>
        {
            cancellation.ThrowIfCancellationRequested();
            (divergences[i], answers[i]) = Evaluate(conversations[i], models, cancellation);
            progress?.Report(Interlocked.Increment(ref done));
        });
        return [.. models.Select((_, m) => new EvaluationResult(names[m], [.. conversations.Select((c, i) => (c.Task, i)).GroupBy(pair => pair.Task, pair => pair.i)
            .Select(group => Summarize(group.Key, [.. group], conversations, i => divergences[i][m], i => answers[i][m]))]))];
    }

    private (TokenDivergence[] Divergences, string[] Answers) Evaluate(Conversation conversation, MultimodalModel[] models, CancellationToken cancellation)
    {
        var full = reference.Prepare(conversation.Messages, cancellation);
        var open = maxTokens > 0 ? reference.Prepare([.. conversation.Messages.SkipLast(1)], cancellation) : null;
        var expected = Rows(reference, full, cancellation);
        var divergences = new TokenDivergence[models.Length];
        var answers = new string[models.Length];
        for (var m = 0; m < models.Length; m++)
        {
            var logits = m == 0 ? expected : Rows(models[m], full, cancellation);
            divergences[m] = new TokenDivergence();
            var (start, length) = full.AnswerRange.GetOffsetAndLength(full.InputIds.Length);
            for (var t = 0; t < length; t++)
            {
                divergences[m].Add(expected.Row(t), logits.Row(t), full.InputIds[start + t]);
            }

            answers[m] = open is null ? "" : Answer(models[m], open, cancellation);
        }

        return (divergences, answers);
    }

    // The token at position t is predicted by the row before it.
    private static Matrix Rows(MultimodalModel model, PreparedPrompt prompt, CancellationToken cancellation)
    {
        var (start, length) = prompt.AnswerRange.GetOffsetAndLength(prompt.InputIds.Length);
        return model.Logits(prompt, (start - 1)..(start - 1 + length), cancellation);
    }

    private string Answer(MultimodalModel model, PreparedPrompt prompt, CancellationToken cancellation)
        => model.Tokenizer.Decode(model.GenerateTokens(prompt, new GenerationOptions { MaxTokens = maxTokens }, cancellation), skipSpecial: true);

    private TaskResult Summarize(string task, int[] rows, IReadOnlyList<Conversation> conversations, Func<int, TokenDivergence> divergence, Func<int, string> answer)
    {
        var sum = new TokenDivergence();
        var score = new AnswerScore();
        foreach (var i in rows)
        {
            sum.Add(divergence(i));
            if (maxTokens > 0)
            {
                score.Add(answer(i), string.Concat(conversations[i].Messages[^1].Content.OfType<TextPart>().Select(part => part.Text)));
            }
        }

        return new TaskResult(task, rows.Length, sum, score);
    }
}
