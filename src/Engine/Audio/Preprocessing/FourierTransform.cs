using System.Numerics;
using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Audio.Preprocessing;

/// <summary>The discrete Fourier transform of a fixed length in double precision: mixed radix, over the prime factors of the length (400 = 2⁴ · 5²).</summary>
internal sealed class FourierTransform
{
    private readonly int[] _factors;
    private readonly Complex[] _roots;

    /// <summary>Prepares transforms of <paramref name="length"/> values, whose prime factors are at most <see cref="ConfigLimits.FourierRadix"/>.</summary>
    public FourierTransform(int length)
    {
        _factors = [.. Factorize(length)];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_factors.DefaultIfEmpty().Max(), ConfigLimits.FourierRadix, nameof(length));
        _roots = new Complex[length];
        for (var i = 0; i < length; i++)
        {
            var (sin, cos) = Elementary.SinCos(-2 * Math.PI * i / length);
            _roots[i] = new Complex(cos, sin);
        }
    }

    /// <summary>X[k] = Σ_n x[n] · exp(−2πi·k·n / length), for k = 0 … length − 1.</summary>
    public void Transform(ReadOnlySpan<Complex> input, Span<Complex> output) => Transform(input, 1, output, 0);

    // Decimation in time: the transform of the values at stride·n, whose length is that of the output.
    private void Transform(ReadOnlySpan<Complex> input, int stride, Span<Complex> output, int depth)
    {
        if (output.Length == 1)
        {
            output[0] = input[0];
            return;
        }

        var radix = _factors[depth];
        var part = output.Length / radix;
        for (var r = 0; r < radix; r++)
        {
            Transform(input[(r * stride)..], stride * radix, output.Slice(r * part, part), depth + 1);
        }

        Span<Complex> terms = stackalloc Complex[ConfigLimits.FourierRadix];
        for (var k = 0; k < part; k++)
        {
            for (var r = 0; r < radix; r++)
            {
                terms[r] = output[(r * part) + k];
            }

            for (var q = 0; q < radix; q++)
            {
                var bin = (q * part) + k;
                var sum = terms[0];
                for (var r = 1; r < radix; r++)
                {
                    sum += terms[r] * _roots[(int)((long)bin * r * stride % _roots.Length)];
                }

                output[bin] = sum;
            }
        }
    }

    private static IEnumerable<int> Factorize(int length)
    {
        for (var factor = 2; factor * factor <= length; factor++)
        {
            for (; length % factor == 0; length /= factor)
            {
                yield return factor;
            }
        }

        if (length > 1)
        {
            yield return length;
        }
    }
}
