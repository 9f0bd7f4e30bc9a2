namespace MASQuant.Peers;

/// <summary>A type of GGUF tensors: values a block and its bytes (<see href="https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h"/>).</summary>
/// <param name="Id">Its number in files.</param>
/// <param name="Values">Of a block.</param>
/// <param name="Bytes">Of a block.</param>
/// <param name="Scales">Where FP16 scales lie in a block, and what they are here: codes are random, numbers stay near 0.02.</param>
internal sealed record GgufType(uint Id, int Values, int Bytes, params (int Place, float Value)[] Scales)
{
    public static readonly GgufType F32 = new(0, 1, sizeof(float));
    public static readonly GgufType Q4_0 = new(2, 32, 18, (0, 0.003f));
    public static readonly GgufType Q8_0 = new(8, 32, 34, (0, 0.0002f));
    public static readonly GgufType Q4K = new(12, 256, 144, (0, 1e-4f), (2, 5e-4f)); // of the sub-blocks' scales and minima, 6 bits each
    public static readonly GgufType Q6K = new(14, 256, 210, (208, 1e-5f));

    /// <summary>The size of a tensor.</summary>
    public long SizeOf(IReadOnlyList<long> extents) => checked(extents.Aggregate(1L, (product, extent) => checked(product * extent)) / Values * Bytes);

    /// <summary>Writes <paramref name="size"/> bytes of random blocks.</summary>
    public void WriteRandom(BinaryWriter writer, long size)
    {
        var random = new Random(1);
        var blocks = new byte[Bytes * 4096];
        for (var left = size; left > 0; left -= Math.Min(left, blocks.Length))
        {
            random.NextBytes(blocks);
            for (var at = 0; at < blocks.Length; at += Bytes)
            {
                foreach (var (place, value) in Scales)
                {
                    BitConverter.TryWriteBytes(blocks.AsSpan(at + place), (Half)value);
                }
            }

            writer.Write(blocks, 0, (int)Math.Min(left, blocks.Length));
        }
    }
}
