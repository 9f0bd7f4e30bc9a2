namespace MASQuant.Audio;

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
    private static readonly Lazy<double[]> Kernel = new(CreateKernel);

    /// <summary>The samples at <paramref name="targetRate"/>: ⌈n · target / source⌉ of them, the first at the first's time. Equal rates return <paramref name="samples"/>.</summary>
    public static float[] Resample(float[] samples, int sourceRate, int targetRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sourceRate, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(targetRate, 1);
        if (sourceRate == targetRate)
        {
            return samples;
        }

        var kernel = Kernel.Value;

        // Going down, the kernel is stretched over the input by the ratio of rates and damped by as much.
        var scale = Math.Min(1, (double)targetRate / sourceRate);
        var reach = (int)Math.Ceiling(ZeroCrossings / scale);
        var result = new float[checked((int)((((long)samples.Length * targetRate) + sourceRate - 1) / sourceRate))];
        for (var i = 0; i < result.Length; i++)
        {
            var (center, remainder) = Math.DivRem((long)i * sourceRate, targetRate);
            var fraction = (double)remainder / targetRate;
            var first = (int)Math.Max(0, center - reach + 1);
            var last = (int)Math.Min(samples.Length - 1, center + reach);
            var sum = 0d;
            for (var j = first; j <= last; j++)
            {
                sum += samples[j] * At(kernel, Math.Abs(j - center - fraction) * scale);
            }

            result[i] = (float)(sum * scale);
        }

        return result;
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
            var window = Bessel(Beta * Math.Sqrt(1 - Math.Pow(time / ZeroCrossings, 2))) / Bessel(Beta);
            kernel[i] = Cutoff * window * (i == 0 ? 1 : Math.Sin(x) / x);
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
