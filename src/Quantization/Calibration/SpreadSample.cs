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
        var taken = Math.Min(count, sequences.Count);
        var sample = Enumerable.Range(0, taken).Select(i => sequences[(int)((long)i * sequences.Count / taken)]).ToList();
        foreach (var modality in Enum.GetValues<Modality>())
        {
            if (sample.All(s => s.Modalities.CountOf(modality) == 0) && sequences.FirstOrDefault(s => s.Modalities.CountOf(modality) > 0) is { } missing)
            {
                sample.Add(missing);
            }
        }

        return sample;
    }
}
