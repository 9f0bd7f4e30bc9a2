using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>Attention of a tower: rows of one segment see all of it and nothing else.</summary>
/// <param name="windows">Where the rows of each window begin, ascending, from 0, and their end.</param>
/// <param name="frames">Where the rows of each frame begin, and their end.</param>
/// <param name="rotate">Rotates every head of [T, heads · d] in place; null for a tower that rotates nothing.</param>
/// <param name="cancellationToken">Stops between pieces of work.</param>
internal sealed class TowerAttention(int[] windows, int[] frames, Action<Matrix>? rotate, CancellationToken cancellationToken) : IBlockAttention
{
    /// <inheritdoc/>
    public void Rotate(Matrix x) => (rotate ?? throw new NotSupportedException("The tower has no positions to rotate by."))(x);

    /// <inheritdoc/>
    public Recurrence Recurrence => throw new NotSupportedException("The rows of a tower do not follow each other.");

    /// <inheritdoc/>
    public void Attend(AttendStep step, Matrix queries, Matrix keys, Matrix values, Matrix output) => SegmentAttention.Apply(
        queries, keys, values, step.Heads, step.Span == AttentionSpan.Frame ? frames : windows, output, cancellationToken);
}
