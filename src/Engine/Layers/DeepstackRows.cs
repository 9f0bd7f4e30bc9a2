namespace MASQuant.Engine.Layers;

/// <summary>What a vision tower leaves beside its tokens for the decoder's first blocks (DeepStack, Meng et al., 2024): rows that are added behind a block to the stream, at the tokens of pictures.</summary>
/// <param name="levels">For each of those blocks [rows, H], a row for each token of vision in order.</param>
/// <param name="first">The row of the first of the tokens at hand.</param>
public sealed class DeepstackRows(IReadOnlyList<Matrix> levels, int first = 0)
{
    /// <summary>No rows: of a tower that leaves none, or of a text.</summary>
    public static DeepstackRows None { get; } = new([]);

    /// <summary>How many blocks get rows.</summary>
    public int Levels => levels.Count;

    /// <summary>The same rows for tokens before which <paramref name="passed"/> of vision stand.</summary>
    public DeepstackRows From(int passed) => levels.Count == 0 ? this : new(levels, first + passed);

    /// <summary>Rows from one of the tokens of vision at hand on.</summary>
    /// <param name="level">Counts the blocks that get rows.</param>
    /// <param name="row">Counts the tokens of vision at hand.</param>
    /// <param name="count">How many rows.</param>
    public ReadOnlySpan<float> Rows(int level, int row, int count = 1)
    {
        var columns = levels[level].Columns;
        return levels[level].Span.Slice((first + row) * columns, count * columns);
    }

    /// <summary>Adds the rows of a level to the stream, [T, H].</summary>
    /// <exception cref="InvalidOperationException">There are tokens of vision and no rows for them.</exception>
    public void AddTo(Matrix stream, ModalityMap modalities, int level)
    {
        var row = 0;
        for (var token = 0; row < modalities.CountOf(Modality.Vision); token++)
        {
            if (modalities[token] == Modality.Vision)
            {
                Residual.Add(stream.Row(token), level < levels.Count ? Rows(level, row++) : throw new InvalidOperationException($"The tower's rows of level {level} are missing."));
            }
        }
    }
}
