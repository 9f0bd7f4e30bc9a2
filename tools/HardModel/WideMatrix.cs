namespace MASQuant.HardModel;

/// <summary>Tensors of omni-tiny as the wide model holds them; every value is exact in BF16.</summary>
internal sealed class WideMatrix(Widening widening)
{
    /// <summary>What is added to the residual stream, a column per vector: rows of a weight are copied, or doubled; nothing writes a loud channel but <paramref name="constant"/>.</summary>
    public float[] Written(float[] old, int columns, Func<LoudGroup, float>? constant = null)
    {
        var wide = new float[Widening.Wide * columns];
        foreach (var (channel, positions) in widening.Live)
        {
            foreach (var position in positions)
            {
                for (var i = 0; i < columns; i++)
                {
                    wide[(position * columns) + i] = old[(channel * columns) + i] * Widening.Scale(positions);
                }
            }
        }

        foreach (var (group, positions) in widening.Loud)
        {
            foreach (var position in positions)
            {
                wide.AsSpan(position * columns, columns).Fill(constant?.Invoke(group) ?? 0);
            }
        }

        return wide;
    }

    /// <summary>The embedding, or another table of rows that enter the stream.</summary>
    public float[] Table(float[] old, bool loud)
    {
        var wide = new float[old.Length * Widening.Copies];
        for (var row = 0; row < old.Length / Widening.Narrow; row++)
        {
            var from = old.AsSpan(row * Widening.Narrow, Widening.Narrow);
            var constant = loud ? from[Widening.OldLoud] * LoudGroup.Text : 0;
            Written(from.ToArray(), 1, _ => constant).CopyTo(wide.AsSpan(row * Widening.Wide));
        }

        return wide;
    }

    /// <summary>The gain of a norm: a copy or a doubled channel keeps its channel's.</summary>
    public float[] Gain(float[] old, Func<LoudGroup, float> loud)
    {
        var wide = new float[Widening.Wide];
        foreach (var (channel, positions) in widening.Live)
        {
            Array.ForEach(positions, position => wide[position] = old[channel]);
        }

        foreach (var (group, positions) in widening.Loud)
        {
            Array.ForEach(positions, position => wide[position] = loud(group));
        }

        return wide;
    }

    /// <summary>A weight that reads the normed stream; each of its rows stands <paramref name="rowCopies"/> times, by heads of <paramref name="rowBlock"/> rows, each copy with splits and cancelling weights of its own.</summary>
    public float[] Reading(float[] old, Draws draws, int rowBlock = 1, int rowCopies = 1)
    {
        var rows = old.Length / Widening.Narrow * rowCopies;
        var wide = new float[rows * Widening.Wide];
        var most = LoudestUnits(old);
        Span<float> parts = stackalloc float[Widening.Copies];
        for (var row = 0; row < rows; row++)
        {
            var from = old.AsSpan(((row / (rowBlock * rowCopies) * rowBlock) + (row % rowBlock)) * Widening.Narrow, Widening.Narrow);
            var to = wide.AsSpan(row * Widening.Wide, Widening.Wide);
            foreach (var (channel, positions) in widening.Live)
            {
                WeightSplit.Split(from[channel] / Widening.Scale(positions), parts[..positions.Length], draws);
                Scatter(parts, positions, to);
            }

            foreach (var (_, positions) in widening.Loud)
            {
                WeightSplit.Cancel(most, parts, draws);
                Scatter(parts, positions, to);
            }
        }

        return wide;
    }

    /// <summary>The weight behind attention, whose inputs are copies too: four of every head.</summary>
    public float[] AttentionOutput(float[] old, int headSize, Draws draws)
    {
        var written = Written(old, Widening.Narrow);
        var wide = new float[Widening.Wide * Widening.Wide];
        Span<float> parts = stackalloc float[Widening.Copies];
        for (var row = 0; row < Widening.Wide; row++)
        {
            for (var column = 0; column < Widening.Narrow; column++)
            {
                WeightSplit.Split(written[(row * Widening.Narrow) + column], parts, draws);
                var (head, inside) = Math.DivRem(column, headSize);
                for (var copy = 0; copy < Widening.Copies; copy++)
                {
                    wide[(row * Widening.Wide) + (((head * Widening.Copies) + copy) * headSize) + inside] = parts[copy];
                }
            }
        }

        return wide;
    }

    private static void Scatter(ReadOnlySpan<float> parts, int[] positions, Span<float> row)
    {
        for (var i = 0; i < positions.Length; i++)
        {
            row[positions[i]] = parts[i];
        }
    }

    // Half the root mean square ρ of the matrix's own weights, about that of their splits: uniform up to √3 · ρ / 2, in units of 1/128.
    private int LoudestUnits(float[] old)
    {
        var squares = 0d;
        foreach (var (channel, _) in widening.Live)
        {
            for (var i = channel; i < old.Length; i += Widening.Narrow)
            {
                squares += (double)old[i] * old[i];
            }
        }

        return Math.Clamp((int)Math.Round(64 * Math.Sqrt(3 * squares / (old.Length / Widening.Narrow * widening.Live.Count))), 8, 127);
    }
}
