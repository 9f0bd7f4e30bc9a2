using MASQuant.Engine.Models;

namespace MASQuant.Engine.Generation;

/// <summary>The stream of a prompt's tokens after some of a decoder's blocks, gathered part by part while the prompt is evaluated.</summary>
internal sealed class HiddenStates
{
    private readonly IReadOnlyList<int> _after;
    private readonly Matrix[] _states;

    /// <summary>Begins with the embeddings, which are the state after no block.</summary>
    /// <param name="prompt">Of which nothing has been evaluated.</param>
    /// <param name="after">After how many blocks, for each state.</param>
    public HiddenStates(PreparedPrompt prompt, IReadOnlyList<int> after)
    {
        _after = after;
        _states = [.. after.Select(_ => new Matrix(prompt.InputEmbeddings.Rows, prompt.InputEmbeddings.Columns))];
        Add(0, 0, prompt.InputEmbeddings);
    }

    /// <summary>Takes the stream of tokens from <paramref name="start"/> on, if it is asked for.</summary>
    /// <param name="blocks">How many blocks it has passed.</param>
    /// <param name="start">The first of its tokens.</param>
    /// <param name="stream">[tokens, H].</param>
    public void Add(int blocks, int start, Matrix stream)
    {
        for (var i = 0; i < _states.Length; i++)
        {
            if (_after[i] == blocks)
            {
                stream.Span.CopyTo(_states[i].Span[(start * stream.Columns)..]);
            }
        }
    }

    /// <summary>The states, those after the last block as the head reads them.</summary>
    public IReadOnlyList<Matrix> Of(Decoder decoder)
    {
        for (var i = 0; i < _states.Length; i++)
        {
            if (_after[i] == decoder.Blocks.Count)
            {
                decoder.FinalNorm.Apply(_states[i], _states[i]);
            }
        }

        return _states;
    }
}
