namespace MASQuant.Fuzz;

/// <summary>A reader of bytes that others wrote: whatever they are, it ends in a value or in a <see cref="MASQuantException"/>.</summary>
/// <param name="Name">The target's name, its folder in <c>Corpus</c> and <c>Regressions</c>.</param>
/// <param name="Read">Reads an input and uses what was read as its readers do.</param>
/// <param name="Mutate">Changes an input so that it gets past checksums and syntax.</param>
/// <param name="MostBytes">The most that reading an input of so many bytes may allocate, in all.</param>
internal sealed record FuzzTarget(string Name, Action<byte[]> Read, Mutator Mutate, Func<int, long> MostBytes)
{
    /// <summary>The longest input.</summary>
    public const int MaxLength = 1 << 16;

    /// <summary>Gives an input right checksums, for changes that know none; null where there are none.</summary>
    public Func<byte[], byte[]>? Repair { get; init; }
}

/// <summary>Gives a changed copy of an input.</summary>
/// <param name="input">The input.</param>
/// <param name="other">Another one of the target, to take pieces from.</param>
/// <param name="random">Decides.</param>
internal delegate byte[] Mutator(byte[] input, byte[] other, Random random);
