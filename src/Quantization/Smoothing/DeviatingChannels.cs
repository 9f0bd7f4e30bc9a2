using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Smoothing;

/// <summary>Picks the channels in which a modality's factor may leave the base modality's. One stored weight serves all modalities; the difference (s_m − s_b)⊙W has as many nonzero columns as there are deviating channels, so a patch of that rank carries it exactly.</summary>
internal static class DeviatingChannels
{
    /// <summary>Per modality, K flags; the base owns every channel. Channels are ranked by how far the modality's range lies from the base modality's, |log(max|x^m| / max|x^b|)|; ties go to the lower channel.</summary>
    /// <param name="statistics">Ranges of the group's activations.</param>
    /// <param name="count">Channels per modality; −1 or ≥ K for all.</param>
    public static bool[][] Pick(ActivationStatistics statistics, int count) => Pick(statistics, [.. Enumerable.Repeat(count, ModalityMap.ModalityCount)]);

    /// <summary>The same with a count for each modality.</summary>
    public static bool[][] Pick(ActivationStatistics statistics, IReadOnlyList<int> counts)
    {
        var owns = new bool[ModalityMap.ModalityCount][];
        foreach (var modality in Enum.GetValues<Modality>())
        {
            var flags = owns[(int)modality] = new bool[statistics.Inputs];
            if (modality == Modality.Text)
            {
                Array.Fill(flags, true);
            }
            else if (statistics.TokenCount(modality) > 0 && statistics.TokenCount(Modality.Text) > 0)
            {
                var count = counts[(int)modality];
                foreach (var channel in Farthest(statistics, modality, count < 0 ? statistics.Inputs : count))
                {
                    flags[channel] = true;
                }
            }
        }

        return owns;
    }

    private static IEnumerable<int> Farthest(ActivationStatistics statistics, Modality modality, int count)
    {
        var own = statistics.AbsMax(modality).ToArray();
        var text = statistics.AbsMax(Modality.Text).ToArray();
        const double Smallest = 1e-5;
        return Enumerable.Range(0, own.Length)
            .OrderByDescending(k => Math.Abs(Elementary.Log(Math.Max(own[k], Smallest) / Math.Max(text[k], Smallest))))
            .ThenBy(k => k)
            .Take(count);
    }
}
