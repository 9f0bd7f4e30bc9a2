using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>What a block's attention reads beside queries, keys and values: the rows' positions, and which rows see each other.</summary>
internal interface IBlockAttention
{
    /// <summary>Rotates every head of <paramref name="x"/>, [T, heads · d], in place.</summary>
    void Rotate(Matrix x);

    /// <summary>softmax(Q·Kᵀ/√d)·V.</summary>
    /// <param name="step">Heads, and which rows a query sees.</param>
    /// <param name="queries">[T, heads · d].</param>
    /// <param name="keys">[T, key heads · d].</param>
    /// <param name="values">[T, key heads · d].</param>
    /// <param name="output">[T, heads · d], overwritten.</param>
    void Attend(AttendStep step, Matrix queries, Matrix keys, Matrix values, Matrix output);

    /// <summary>What computes the steps that carry something from row to row.</summary>
    /// <exception cref="NotSupportedException">Rows do not follow each other: those of a tower.</exception>
    Recurrence Recurrence { get; }
}
