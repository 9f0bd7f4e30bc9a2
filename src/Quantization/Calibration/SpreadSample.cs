namespace MASQuant.Quantization.Calibration;

/// <summary>A part of a calibration set for what need not see all of it.</summary>
internal static class SpreadSample
{
    /// <summary>About so many tokens; all sequences when they have no more.</summary>
    public static IReadOnlyList<CalibrationSequence> OfTokens(IReadOnlyList<CalibrationSequence> sequences, long tokens)
    {
        var all = sequences.Sum(sequence => (long)sequence.Modalities.Count);
        return all <= tokens ? sequences : Of(sequences, (int)Math.Max(1, sequences.Count * tokens / all));
    }

    /// <summary>So many sequences, evenly from the whole set, and one of each modality that these lack.</summary>
    public static IReadOnlyList<CalibrationSequence> Of(IReadOnlyList<CalibrationSequence> sequences, int count)
    {
        var sample = Evenly(sequences, Math.Min(count, sequences.Count)).ToList();
        foreach (var modality in Enum.GetValues<Modality>())
        {
            if (sample.All(s => s.Modalities.CountOf(modality) == 0) && sequences.FirstOrDefault(s => s.Modalities.CountOf(modality) > 0) is { } missing)
            {
                sample.Add(missing);
            }
        }

        return sample;
    }

    /// <summary>So many, at equal distances.</summary>
    public static IEnumerable<CalibrationSequence> Evenly(IReadOnlyList<CalibrationSequence> sequences, int count)
        => Enumerable.Range(0, count).Select(i => sequences[(int)((long)i * sequences.Count / count)]);
}
