namespace MASQuant.Quantization.Calibration;

/// <summary>Some of the activations that enter one input group: of every sequence a few tokens of each modality, evenly spaced. For what is chosen or described by a mean over some thousand tokens.</summary>
/// <param name="sequences">How many there will be.</param>
internal sealed class TokenSample(int sequences)
{
    private const int Tokens = 4096;
    private const int PerSequence = 32;
    private readonly int _each = Each(sequences);
    private readonly List<(Matrix X, ModalityMap Modalities)> _taken = [];

    /// <summary>What was taken: rows [t, K] of each sequence, in the order of the set, with their modalities.</summary>
    public IReadOnlyList<(Matrix X, ModalityMap Modalities)> Taken => _taken;

    /// <summary>The most rows of a modality that are taken of so many sequences.</summary>
    public static long RowsOf(int sequences) => (long)sequences * Each(sequences);

    /// <summary>Takes from a sequence's activations, [T, K].</summary>
    public void Add(Matrix x, ModalityMap modalities)
    {
        int[] rows = [.. Enum.GetValues<Modality>().SelectMany(modality => TokenRows.Spread(modalities, modality, _each))];
        var taken = new Matrix(rows.Length, x.Columns);
        for (var i = 0; i < rows.Length; i++)
        {
            x.Row(rows[i]).CopyTo(taken.Row(i));
        }

        _taken.Add((taken, new ModalityMap([.. rows.Select(row => modalities[row])])));
    }

    private static int Each(int sequences) => Math.Clamp(Tokens / Math.Max(1, sequences), 1, PerSequence);
}
