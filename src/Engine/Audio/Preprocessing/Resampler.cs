using System.Numerics;
using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Audio.Preprocessing;

/// <summary>
/// Changes a clip's sampling rate by band-limited interpolation (J. O. Smith, "Digital audio resampling"): a sinc under a Kaiser window of 64 zero
/// crossings a side. The passband reaches to 0.9 of the lower Nyquist rate, the transition to 1; what would alias is damped by 100 dB.
/// </summary>
public static class Resampler
{
    private const int ZeroCrossings = 64;
    private const double Cutoff = 0.95;

    // Kaiser's formula for 100 dB: β = 0.1102 (A − 8.7).
    private const double Beta = 0.1102 * (100 - 8.7);

    // Linear interpolation between 4096 points a crossing errs by at most π²/8/4096² = 7e-8.
    private const int PointsPerCrossing = 4096;
    private const int MaxCachedWeights = 1 << 22;
    private const int OutputsPerPiece = 4096;
    private static readonly Lazy<double[]> Kernel = new(CreateKernel);

    /// <summary>⌈<paramref name="samples"/> · target / source⌉, how many samples <see cref="Resample"/> gives.</summary>
    public static int Count(int samples, int sourceRate, int targetRate) => checked((int)((((long)samples * targetRate) + sourceRate - 1) / sourceRate));

    /// <summary>The samples at <paramref name="targetRate"/>: ⌈n · target / source⌉ of them, the first at the first's time. Equal rates return <paramref name="samples"/>.</summary>
    public static float[] Resample(float[] samples, int sourceRate, int targetRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sourceRate, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(targetRate, 1);
        if (sourceRate == targetRate)
        {
            return samples;
        }

        // Going down, the kernel is stretched over the input by the ratio of rates and damped by as much.
        var scale = Math.Min(1, (double)targetRate / sourceRate);
        var reach = Reach(scale);
        var step = Step(sourceRate, targetRate);
        var places = targetRate / step;
        var cache = new double[CachedWeights(samples.Length, sourceRate, targetRate) / (2 * reach)][];
        Workers.For(cache.Length, place => cache[place] = Weights(new double[2 * reach], (double)place / places, reach, scale));

        var result = LargeArray.Zeros<float>(Count(samples.Length, sourceRate, targetRate));
        Workers.For((result.Length + OutputsPerPiece - 1) / OutputsPerPiece, piece =>
        {
            var scratch = cache.Length > 0 ? [] : new double[2 * reach];
            for (var i = piece * OutputsPerPiece; i < Math.Min(result.Length, (piece + 1) * OutputsPerPiece); i++)
            {
                var (center, remainder) = Math.DivRem((long)i * sourceRate, targetRate);
                var weights = cache.Length > 0 ? cache[remainder / step] : Weights(scratch, (double)remainder / targetRate, reach, scale);
                result[i] = Convolve(samples, (int)center - reach + 1, weights);
            }
        });
        return result;
    }

    /// <summary>How many weights <see cref="Resample"/> keeps in memory: outputs fall on so many places between inputs, and unless these are very many, or more than there are outputs, each place's weights are worked out once.</summary>
    public static int CachedWeights(int samples, int sourceRate, int targetRate)
    {
        var places = targetRate / Step(sourceRate, targetRate);
        var weights = (long)places * 2 * Reach(Math.Min(1, (double)targetRate / sourceRate));
        return sourceRate != targetRate && places <= Count(samples, sourceRate, targetRate) && weights <= MaxCachedWeights ? (int)weights : 0;
    }

    private static int Step(int sourceRate, int targetRate) => (int)BigInteger.GreatestCommonDivisor(sourceRate, targetRate);

    private static int Reach(double scale) => (int)Math.Ceiling(ZeroCrossings / scale);

    // Weight k belongs to the input at k − reach + 1 from the one at or before the output, which lies `fraction` behind that.
    private static double[] Weights(double[] weights, double fraction, int reach, double scale)
    {
        var kernel = Kernel.Value;
        for (var k = 0; k < weights.Length; k++)
        {
            weights[k] = At(kernel, Math.Abs(k - reach + 1 - fraction) * scale) * scale;
        }

        return weights;
    }

    // Beyond the clip's ends lies silence.
    private static float Convolve(ReadOnlySpan<float> samples, int first, ReadOnlySpan<double> weights)
    {
        var skip = Math.Max(0, -first);
        var count = Math.Min(weights.Length, samples.Length - first) - skip;
        samples = samples.Slice(first + skip, count);
        weights = weights.Slice(skip, count);

        // Four sums that do not wait for each other, in an order of their own.
        var (a, b, c, d) = (0d, 0d, 0d, 0d);
        var i = 0;
        for (; i + 3 < count; i += 4)
        {
            a += samples[i] * weights[i];
            b += samples[i + 1] * weights[i + 1];
            c += samples[i + 2] * weights[i + 2];
            d += samples[i + 3] * weights[i + 3];
        }

        for (; i < count; i++)
        {
            a += samples[i] * weights[i];
        }

        return (float)(a + b + c + d);
    }

    private static double At(double[] kernel, double crossings)
    {
        var position = crossings * PointsPerCrossing;
        var index = (int)position;
        return index >= kernel.Length - 1 ? 0 : kernel[index] + ((position - index) * (kernel[index + 1] - kernel[index]));
    }

    private static double[] CreateKernel()
    {
        var kernel = new double[(ZeroCrossings * PointsPerCrossing) + 1];
        for (var i = 0; i < kernel.Length; i++)
        {
            var time = (double)i / PointsPerCrossing;
            var x = Math.PI * time * Cutoff;
            var window = Bessel(Beta * Math.Sqrt(1 - (time / ZeroCrossings * (time / ZeroCrossings)))) / Bessel(Beta);
            kernel[i] = Cutoff * window * (i == 0 ? 1 : Elementary.Sin(x) / x);
        }

        return kernel;
    }

    // The modified Bessel function I₀ by its power series.
    private static double Bessel(double x)
    {
        var (sum, term) = (1d, 1d);
        for (var k = 1; term > sum * 1e-17; k++)
        {
            term *= x * x / (4d * k * k);
            sum += term;
        }

        return sum;
    }
}
