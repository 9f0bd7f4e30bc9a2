using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>What the gated delta rule reads of some tokens. For one thread at a time.</summary>
internal sealed class DeltaInputs
{
    private RowBuffer? _kept;

    /// <summary>[T, …]: queries and keys of unit length, queries divided by √d_k besides, and values.</summary>
    public Matrix QueriesKeysValues { get; private set; } = new(0, 0);

    /// <summary>γ of every token's value heads.</summary>
    public float[] Decays { get; private set; } = [];

    /// <summary>β of every token's value heads.</summary>
    public float[] Strengths { get; private set; } = [];

    public long Bytes => ((_kept?.Room ?? 0) + Decays.LongLength + Strengths.LongLength) * sizeof(float);

    /// <summary>Makes them of a step's values.</summary>
    /// <param name="step">Heads and their widths.</param>
    /// <param name="gates">Decay and strength.</param>
    /// <param name="a">[T, value heads].</param>
    /// <param name="b">[T, value heads].</param>
    /// <param name="x">Queries, keys and values, [T, …], changed in place.</param>
    public void Prepare(DeltaRuleStep step, DeltaGates gates, Matrix a, Matrix b, Matrix x)
    {
        QueriesKeysValues = x;
        Reserve(checked(a.Rows * step.ValueHeads));
        if (x.Rows > Rows.PieceRows)
        {
            PrepareMany(step, gates, a, b);
            return;
        }

        for (var row = 0; row < x.Rows; row++)
        {
            Prepare(step, gates, a, b, row);
        }
    }

    /// <summary>Copies those of some tokens.</summary>
    public void CopyFrom(DeltaInputs other, DeltaRuleStep step, int first, int count)
    {
        var columns = other.QueriesKeysValues.Columns;
        QueriesKeysValues = (_kept ??= new RowBuffer(columns)).Rows(count);
        other.QueriesKeysValues.Span.Slice(first * columns, count * columns).CopyTo(QueriesKeysValues.Span);
        Reserve(count * step.ValueHeads);
        other.Decays.AsSpan(first * step.ValueHeads, count * step.ValueHeads).CopyTo(Decays);
        other.Strengths.AsSpan(first * step.ValueHeads, count * step.ValueHeads).CopyTo(Strengths);
    }

    private void PrepareMany(DeltaRuleStep step, DeltaGates gates, Matrix a, Matrix b) => Rows.For(a.Rows, row => Prepare(step, gates, a, b, row));

    private void Prepare(DeltaRuleStep step, DeltaGates gates, Matrix a, Matrix b, int row)
    {
        var (start, heads) = (row * step.ValueHeads, step.ValueHeads);
        gates.Apply(a.Row(row), b.Row(row), Decays.AsSpan(start, heads), Strengths.AsSpan(start, heads));
        var scale = 1 / MathF.Sqrt(step.KeySize);
        for (var head = 0; head < 2 * step.KeyHeads; head++)
        {
            UnitLength.Apply(QueriesKeysValues.Row(row).Slice(head * step.KeySize, step.KeySize), DeltaRuleStep.LengthEpsilon, head < step.KeyHeads ? scale : 1);
        }
    }

    private void Reserve(int size)
    {
        if (Decays.Length < size)
        {
            (Decays, Strengths) = (new float[size], new float[size]);
        }
    }
}
