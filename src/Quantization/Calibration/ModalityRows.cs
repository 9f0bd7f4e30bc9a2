namespace MASQuant.Quantization.Calibration;

/// <summary>Splits a sequence by modality.</summary>
internal static class ModalityRows
{
    /// <summary>X_m: the rows of <paramref name="x"/> [T, K] whose token is of <paramref name="modality"/>, in order, [T_m, K]. All of <paramref name="x"/> itself when no other modality occurs.</summary>
    public static Matrix Select(Matrix x, ModalityMap modalities, Modality modality)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(modalities.Count, x.Rows, nameof(modalities));
        var count = modalities.CountOf(modality);
        if (count == x.Rows)
        {
            return x;
        }

        var rows = new Matrix(count, x.Columns);
        var next = 0;
        for (var token = 0; token < x.Rows; token++)
        {
            if (modalities[token] == modality)
            {
                x.Row(token).CopyTo(rows.Row(next++));
            }
        }

        return rows;
    }
}
