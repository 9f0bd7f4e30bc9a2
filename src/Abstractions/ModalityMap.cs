namespace MASQuant;

/// <summary>The modality of every token of a sequence, in order. Immutable.</summary>
public sealed class ModalityMap
{
    /// <summary>The number of values of <see cref="Modality"/>.</summary>
    public const int ModalityCount = 3;

    private static readonly ModalityMap[] FewTexts = [.. Enumerable.Range(0, 17).Select(count => new ModalityMap(new Modality[count]))];
    private readonly Modality[] _modalities;
    private readonly int[] _counts = new int[ModalityCount];

    /// <summary>Copies <paramref name="modalities"/>, one entry per token.</summary>
    public ModalityMap(ReadOnlySpan<Modality> modalities)
    {
        _modalities = modalities.ToArray();
        foreach (var modality in _modalities)
        {
            _counts[(int)modality]++;
        }
    }

    /// <summary>The number of tokens.</summary>
    public int Count => _modalities.Length;

    /// <summary>The modality of each token.</summary>
    public ReadOnlySpan<Modality> Tokens => _modalities;

    /// <summary>Whether no token needs a low-rank patch.</summary>
    public bool IsTextOnly => _counts[(int)Modality.Text] == Count;

    /// <summary>The modality of token <paramref name="token"/>.</summary>
    public Modality this[int token] => _modalities[token];

    /// <summary>How many tokens are of <paramref name="modality"/>.</summary>
    public int CountOf(Modality modality) => _counts[(int)modality];

    /// <summary>A map of <paramref name="count"/> text tokens; those of a decode step, of a few tokens, are shared.</summary>
    public static ModalityMap Text(int count) => count >= 0 && count < FewTexts.Length ? FewTexts[count] : new ModalityMap(new Modality[count]);
}
