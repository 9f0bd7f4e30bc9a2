namespace MASQuant.Engine.Generation;

/// <summary>Finds where a sum over tokens by rising rank reaches a target, without sorting them: digit by digit of the rank, with the sums of what shares a digit.</summary>
internal sealed class RankWalk
{
    private const int DigitBits = 12;
    private readonly ulong[] _sums = new ulong[1 << DigitBits];

    /// <summary>The lowest rank at which the values of all tokens up to it reach <paramref name="target"/>, and how much of it those of that rank are left to give.</summary>
    /// <param name="ranks">[V].</param>
    /// <param name="values">[V]; empty: every token counts as 1.</param>
    /// <param name="target">From 1 to the sum of all.</param>
    public (uint Rank, ulong Missing) Find(ReadOnlySpan<uint> ranks, ReadOnlySpan<ulong> values, ulong target)
    {
        var found = 0u;
        for (var (shift, bits) = (32 - DigitBits, DigitBits); ; (shift, bits) = (Math.Max(0, shift - DigitBits), Math.Min(shift, DigitBits)))
        {
            Add(ranks, values, found, shift, bits);
            var digit = 0;
            for (; _sums[digit] < target; digit++)
            {
                target -= _sums[digit];
            }

            found |= (uint)digit << shift;
            if (shift == 0)
            {
                return (found, target);
            }
        }
    }

    // The sums of the digits at `shift` of the ranks whose higher digits are those found.
    private void Add(ReadOnlySpan<uint> ranks, ReadOnlySpan<ulong> values, uint found, int shift, int bits)
    {
        Array.Clear(_sums);
        var range = uint.MaxValue >> (32 - shift - bits);
        var digits = _sums;
        for (var id = 0; id < ranks.Length; id++)
        {
            var rank = ranks[id];
            if (rank - found <= range)
            {
                digits[(int)((rank - found) >> shift)] += values.IsEmpty ? 1 : values[id];
            }
        }
    }
}
