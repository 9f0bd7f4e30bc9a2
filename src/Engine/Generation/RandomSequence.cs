using System.Numerics;

namespace MASQuant.Engine.Generation;

/// <summary>
/// xoshiro256** 1.0 (Blackman and Vigna, prng.di.unimi.it), its state filled by SplitMix64 from the seed: the same numbers on every machine and in
/// every version, which <see cref="Random"/> does not promise.
/// </summary>
public sealed class RandomSequence
{
    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    /// <summary>Starts the sequence of <paramref name="seed"/>.</summary>
    public RandomSequence(ulong seed)
        : this(Mix(seed, 1), Mix(seed, 2), Mix(seed, 3), Mix(seed, 4))
    {
    }

    /// <summary>Starts from a state, not all zero.</summary>
    internal RandomSequence(ulong s0, ulong s1, ulong s2, ulong s3) => (_s0, _s1, _s2, _s3) = (s0, s1, s2, s3);

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var shifted = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= shifted;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>A multiple of 2⁻⁵³ in [0, 1), all equally probable.</summary>
    public double NextUnit() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform in [−1, 1), a multiple of 2⁻⁵².</summary>
    public double NextSigned() => ((Next() >> 11) * (1.0 / (1UL << 52))) - 1.0;

    /// <summary>Fisher and Yates' shuffle.</summary>
    public void Shuffle(Span<int> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var j = (int)(Next() % (ulong)(i + 1));
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <summary>The <paramref name="n"/>-th number (from 1) of SplitMix64.</summary>
    internal static ulong Mix(ulong seed, ulong n)
    {
        var z = seed + (n * 0x9E3779B97F4A7C15);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
