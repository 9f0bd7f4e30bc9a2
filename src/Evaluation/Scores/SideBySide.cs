using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;

namespace MASQuant.Evaluation.Scores;

/// <summary>Takes a conversation through several models at once, block by block, and compares each with the first on the way: memory holds one block's output per model and the logits of a few tokens.</summary>
/// <param name="decoders">The reference, then the candidates; of equal extents.</param>
public sealed class SideBySide(IReadOnlyList<Decoder> decoders)
{
    // Bounds the logits that are held: rows × vocabulary, twice.
    private const int LogitRows = 64;

    /// <summary>The deviations of every model, the reference's own first.</summary>
    /// <param name="prompt">T tokens, the answer included.</param>
    /// <param name="cancellationToken">Obeyed between blocks.</param>
    /// <exception cref="MASQuantException">MASQ0921: the conversation is longer than the model's positions.</exception>
    public SampleDeviation[] Run(PreparedPrompt prompt, CancellationToken cancellationToken) => Run([.. decoders.Select(_ => prompt)], cancellationToken);

    /// <summary>The deviations of every model, the reference's own first.</summary>
    /// <param name="prompts">The conversation as each model embeds it: T tokens, the answer included.</param>
    /// <param name="cancellationToken">Obeyed between blocks.</param>
    /// <exception cref="MASQuantException">MASQ0921: the conversation is longer than the model's positions.</exception>
    public SampleDeviation[] Run(IReadOnlyList<PreparedPrompt> prompts, CancellationToken cancellationToken)
    {
        var prompt = prompts[0];
        var config = decoders[0].Config;
        new KvCache(config).RequireRoom(prompt.InputIds.Length);
        var workspace = new DecoderWorkspace(config);
        var deviations = decoders.Select(_ => new SampleDeviation(config.Layers)).ToArray();
        var hidden = RunBlocks(prompts, workspace, deviations, cancellationToken);
        CompareLogits(prompt, hidden, workspace, deviations, cancellationToken);
        return deviations;
    }

    private Matrix[] RunBlocks(IReadOnlyList<PreparedPrompt> prompts, DecoderWorkspace workspace, SampleDeviation[] deviations, CancellationToken cancellationToken)
    {
        var rotary = new RotaryTable(decoders[0].Description.Rotary);
        rotary.Set(prompts[0].PositionIds);
        var hidden = prompts.Select(prompt => prompt.InputEmbeddings.Copy()).ToArray();
        for (var layer = 0; layer < decoders[0].Blocks.Count; layer++)
        {
            for (var m = 0; m < decoders.Count; m++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                decoders[m].Blocks[layer].Forward(hidden[m], prompts[m].Modalities, rotary, workspace, deepstack: prompts[m].Deepstack);
                deviations[m].Blocks.Add(layer, hidden[0], hidden[m], prompts[0].Modalities);
            }
        }

        return hidden;
    }

    private void CompareLogits(PreparedPrompt prompt, Matrix[] hidden, DecoderWorkspace workspace, SampleDeviation[] deviations, CancellationToken cancellationToken)
    {
        var (answer, length) = prompt.AnswerRange.GetOffsetAndLength(prompt.InputIds.Length);
        var predicted = prompt.InputIds.Length - 1; // Nothing follows the last token.
        for (var start = 0; start < predicted; start += LogitRows)
        {
            var rows = Math.Min(LogitRows, predicted - start);
            var expected = Logits(decoders[0], hidden[0], start, rows, workspace);
            for (var m = 0; m < decoders.Count; m++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var logits = m == 0 ? expected : Logits(decoders[m], hidden[m], start, rows, workspace);
                for (var row = 0; row < rows; row++)
                {
                    var next = start + row + 1;
                    var divergence = new TokenDivergence();
                    divergence.Add(expected.Row(row), logits.Row(row), prompt.InputIds[next]);
                    deviations[m].ByModality[(int)prompt.Modalities[next - 1]].Add(divergence);
                    if (next >= answer && next < answer + length)
                    {
                        deviations[m].Answer.Add(divergence);
                    }
                }
            }
        }
    }

    private static Matrix Logits(Decoder decoder, Matrix hidden, int start, int rows, DecoderWorkspace workspace)
    {
        var part = new Matrix(rows, hidden.Columns, hidden.Span.Slice(start * hidden.Columns, rows * hidden.Columns).ToArray());
        var logits = new Matrix(rows, decoder.Config.VocabularySize);
        decoder.Logits(part, workspace, logits);
        return logits;
    }
}
