namespace MASQuant.Quantization.Calibration;

/// <summary>The rows of a sequence that belong to one modality.</summary>
internal static class TokenRows
{
    /// <summary>The token indices of each modality, ascending.</summary>
    public static int[][] Split(ModalityMap modalities)
    {
        var rows = new List<int>[ModalityMap.ModalityCount];
        for (var m = 0; m < rows.Length; m++)
        {
            rows[m] = new List<int>(modalities.CountOf((Modality)m));
        }

        for (var t = 0; t < modalities.Count; t++)
        {
            rows[(int)modalities[t]].Add(t);
        }

        return [.. rows.Select(r => r.ToArray())];
    }

    /// <summary>At most <paramref name="count"/> tokens of a modality, evenly spaced.</summary>
    public static int[] Spread(ModalityMap modalities, Modality modality, int count)
    {
        var rows = Enumerable.Range(0, modalities.Count).Where(t => modalities[t] == modality).ToArray();
        count = Math.Min(rows.Length, count);
        return [.. Enumerable.Range(0, count).Select(i => rows[(int)((long)i * rows.Length / count)])];
    }

    /// <summary>Rows of <paramref name="x"/>, all columns; the whole matrix uncopied when every row is asked for.</summary>
    public static Matrix Gather(Matrix x, int[] rows)
    {
        if (rows.Length == x.Rows)
        {
            return x;
        }

        var part = new Matrix(rows.Length, x.Columns);
        for (var i = 0; i < rows.Length; i++)
        {
            x.Row(rows[i]).CopyTo(part.Row(i));
        }

        return part;
    }

    /// <summary>Rows and columns of <paramref name="x"/>.</summary>
    public static Matrix Gather(Matrix x, int[] rows, int[] columns)
    {
        var part = new Matrix(rows.Length, columns.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            var row = x.Row(rows[i]);
            for (var j = 0; j < columns.Length; j++)
            {
                part[i, j] = row[columns[j]];
            }
        }

        return part;
    }

    /// <summary>Adds the rows of <paramref name="part"/> to <paramref name="rows"/> of <paramref name="y"/>.</summary>
    public static void AddTo(Matrix part, int[] rows, Matrix y)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            var source = part.Row(i);
            var target = y.Row(rows[i]);
            for (var j = 0; j < source.Length; j++)
            {
                target[j] += source[j];
            }
        }
    }
}
