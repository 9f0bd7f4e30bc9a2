using MASQuant.Engine.Constraints;
using MASQuant.Engine.Models;

namespace MASQuant.Engine.Generation;

/// <summary>The loop of generation. One answer is a batch of one: what is asked of a sequence does not depend on its neighbours, so neither does its answer.</summary>
public static class TokenGenerator
{
    /// <summary>Answers prompts, several at once; whenever an answer ends, the next prompt is prepared and evaluated. Gives a sequence each time it has a further token or has failed.</summary>
    /// <remarks>An answer whose sequence fills the model's positions ends there; whoever enumerates may end one (<see cref="Sequence.Stop"/>). A prompt that cannot be prepared, is too long, needs more memory than there is or leads to no finite logit fails alone. Any other error, of a device for example, ends the enumeration.</remarks>
    /// <param name="session">Used by this enumeration alone, and disposed with it.</param>
    /// <param name="most">The most sequences in progress at once.</param>
    /// <param name="prompts">Asked for a prompt when there is room for it.</param>
    /// <param name="options">Validated. The seed of prompt i is i more.</param>
    /// <param name="stopTokens">Ids that end an answer.</param>
    /// <param name="grammar">What the answers are held to; null: nothing.</param>
    /// <param name="cancellationToken">Obeyed within a step.</param>
    public static IEnumerable<Sequence> Generate(
        IDecoderSession session, int most, IEnumerable<Func<PreparedPrompt>> prompts, GenerationOptions options, IReadOnlyList<int> stopTokens, TokenGrammar? grammar, CancellationToken cancellationToken)
    {
        using var owned = session;
        using var waiting = prompts.GetEnumerator();
        var rows = new List<Sequence>();
        var count = 0;
        while (true)
        {
            while (rows.Count < most && waiting.MoveNext())
            {
                var sequence = new Sequence(count, options with { Seed = unchecked(options.Seed + (ulong)count) }, stopTokens, grammar);
                count++;
                if (!Start(session, sequence, waiting.Current, cancellationToken))
                {
                    yield return sequence;
                    continue;
                }

                rows.Add(sequence);
                EndIfFull(session, rows, rows.Count - 1);
                yield return sequence;
                EndIfDone(session, rows, rows.Count - 1);
            }

            if (rows.Count == 0)
            {
                yield break;
            }

            session.Step(rows, cancellationToken);
            for (var row = 0; row < rows.Count;)
            {
                EndIfFull(session, rows, row);
                yield return rows[row];
                row += EndIfDone(session, rows, row) ? 0 : 1;
            }
        }
    }

    private static bool Start(IDecoderSession session, Sequence sequence, Func<PreparedPrompt> prepare, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            var prompt = prepare();
            sequence.Begin(prompt.InputIds);
            session.Begin(prompt);
            while (!session.Advance(sequence, int.MaxValue, cancellationToken))
            {
            }

            return true;
        }
        catch (MASQuantException error) when (!DeviceErrors.IsOne(error))
        {
            sequence.Fail(error);
            return false;
        }
    }

    // Its text then ends with the token that it has.
    private static void EndIfFull(IDecoderSession session, List<Sequence> rows, int row)
    {
        if (!session.HasRoom(row))
        {
            rows[row].Fill();
        }
    }

    /// <summary>Removes a row that has ended; the last takes its place.</summary>
    private static bool EndIfDone(IDecoderSession session, List<Sequence> rows, int row)
    {
        if (!rows[row].HasEnded)
        {
            return false;
        }

        session.End(row);
        rows[row] = rows[^1];
        rows.RemoveAt(rows.Count - 1);
        return true;
    }
}
