namespace MASQuant.Peers;

/// <summary>Which tensor of a file has which type, as llama.cpp's own quantizer chooses.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="FileType">Its number in files.</param>
/// <param name="Usual">The type of weights.</param>
/// <param name="Fine">The type of the head, and of values and down projections in every third layer and at both ends.</param>
internal sealed record GgufMix(string Name, int FileType, GgufType Usual, GgufType Fine)
{
    public static readonly GgufMix Q4_0 = new("Q4_0", 2, GgufType.Q4_0, GgufType.Q4_0);
    public static readonly GgufMix Q4KM = new("Q4_K_M", 15, GgufType.Q4K, GgufType.Q6K);
    public static readonly GgufMix Q8_0 = new("Q8_0", 7, GgufType.Q8_0, GgufType.Q8_0);

    /// <summary>The type of values and down projections of a layer.</summary>
    public GgufType Fineness(int layer, int layers)
    {
        var eighth = layers / 8;
        return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2 ? Fine : Usual;
    }
}
