using System.Runtime.InteropServices;

namespace MASQuant.Cuda.Checks;

/// <summary>What checks ask of results.</summary>
internal static class Require
{
    /// <summary>The same bits.</summary>
    /// <exception cref="CheckFailedException">A value differs.</exception>
    public static void Equal<T>(ReadOnlySpan<T> expected, ReadOnlySpan<T> actual, string what)
        where T : unmanaged
    {
        That(expected.Length == actual.Length, $"{what}: {actual.Length} values instead of {expected.Length}");
        if (MemoryMarshal.AsBytes(expected).SequenceEqual(MemoryMarshal.AsBytes(actual)))
        {
            return;
        }

        var (first, count) = (-1, 0);
        for (var i = 0; i < expected.Length; i++)
        {
            if (!MemoryMarshal.AsBytes(expected.Slice(i, 1)).SequenceEqual(MemoryMarshal.AsBytes(actual.Slice(i, 1))))
            {
                first = first < 0 ? i : first;
                count++;
            }
        }

        throw new CheckFailedException(FormattableString.Invariant($"{what}: {count} of {expected.Length} values differ, the first at {first}: {actual[first]} instead of {expected[first]}"));
    }

    /// <inheritdoc cref="Equal{T}(ReadOnlySpan{T}, ReadOnlySpan{T}, string)"/>
    public static void EqualEach<T>(IEnumerable<T> expected, T[] actual, string what)
        where T : unmanaged
        => Equal<T>(expected.ToArray().AsSpan(), actual.AsSpan(), what);

    /// <summary>A value no further from another than a bound allows; NaN is.</summary>
    /// <exception cref="CheckFailedException">It is.</exception>
    public static void Near(double expected, double actual, double bound, string what)
    {
        if (!(Math.Abs(expected - actual) <= bound))
        {
            throw new CheckFailedException(FormattableString.Invariant($"{what}: {actual} is not {expected} ± {bound}"));
        }
    }

    /// <summary>Anything else.</summary>
    /// <exception cref="CheckFailedException">It does not hold.</exception>
    public static void That(bool holds, string message)
    {
        if (!holds)
        {
            throw new CheckFailedException(message);
        }
    }
}
