namespace MASQuant.Peers;

/// <summary>What can be measured: a name, about how much memory its weights take, and how it is made.</summary>
internal sealed record PeerKind(string Name, double BytesAWeight, Func<PeerShape, PeerFolder, IPeer> Make)
{
    /// <summary>In the order of the columns; ratios are the first's to that of the first of llama.cpp.</summary>
    public static IReadOnlyList<PeerKind> All { get; } =
    [
        Own("W4A8", 0.51, QuantizationScheme.W4A8),
        Own("W4A8-H8", 0.51, QuantizationScheme.W4A8, codesHead: true),
        Llama(GgufMix.Q4_0, 0.57),
        Own("W8A8", 1.01, QuantizationScheme.W8A8),
        Own("W4A16", 0.54, QuantizationScheme.W4A16),
        Llama(GgufMix.Q4KM, 0.61),
        Llama(GgufMix.Q8_0, 1.07),
        Own("BF16", 2, null),
    ];

    /// <summary>Bytes that its weights take, head and embedding with them.</summary>
    public long BytesOf(PeerShape shape) => (long)((BytesAWeight * shape.BlockWeights) + (2.2 * shape.HeadWeights));

    private static PeerKind Own(string name, double bytes, QuantizationScheme? scheme, bool codesHead = false) => new(name, bytes, (shape, _) => new OwnPeer(shape, scheme, codesHead));

    private static PeerKind Llama(GgufMix mix, double bytes) => new(mix.Name, bytes, (shape, folder) =>
    {
        var file = folder.File(mix.Name + ".gguf");
        GgufFile.Write(file, shape, mix);
        return new LlamaPeer($"llama.cpp {mix.Name}", file, Comparison.Batches[^1]);
    });
}
