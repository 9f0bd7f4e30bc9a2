namespace MASQuant.Engine.Audio.Preprocessing;

/// <summary>Triangular filters whose centres are equally spaced on Slaney's mel scale, each of unit area (librosa's and Whisper's <c>norm="slaney"</c>).</summary>
internal sealed class MelFilterbank
{
    // Slaney's scale: linear below 1 kHz, then 27 mels per factor of 6.4.
    private const double LinearHertzPerMel = 200d / 3;
    private const double LogFromHertz = 1000;
    private const double LogFromMel = LogFromHertz / LinearHertzPerMel;
    private static readonly double LogStep = Elementary.Log(6.4) / 27;

    private readonly int[] _first;
    private readonly double[][] _weights;

    /// <summary>Creates <paramref name="filters"/> filters from 0 Hz to half of <paramref name="samplingRate"/> over <paramref name="bins"/> Fourier bins.</summary>
    public MelFilterbank(int bins, int filters, int samplingRate)
    {
        var nyquist = samplingRate / 2d;
        var edges = new double[filters + 2];
        for (var i = 0; i < edges.Length; i++)
        {
            edges[i] = ToHertz(ToMel(nyquist) * i / (filters + 1));
        }

        _first = new int[filters];
        _weights = new double[filters][];
        for (var filter = 0; filter < filters; filter++)
        {
            var (low, center, high) = (edges[filter], edges[filter + 1], edges[filter + 2]);
            var weights = Enumerable.Range(0, bins).Select(bin => nyquist * bin / (bins - 1))
                .Select(hertz => Math.Max(0, Math.Min((hertz - low) / (center - low), (high - hertz) / (high - center))) * 2 / (high - low)).ToArray();
            var first = Math.Max(0, Array.FindIndex(weights, w => w > 0));
            _first[filter] = first;
            _weights[filter] = [.. weights.Skip(first).TakeWhile(w => w > 0)];
        }
    }

    /// <summary>The number of filters.</summary>
    public int Count => _first.Length;

    /// <summary>The energy that <paramref name="filter"/> passes of a power spectrum.</summary>
    public double Apply(int filter, ReadOnlySpan<double> power)
    {
        var sum = 0d;
        var weights = _weights[filter];
        power = power.Slice(_first[filter], weights.Length);
        for (var i = 0; i < weights.Length; i++)
        {
            sum += weights[i] * power[i];
        }

        return sum;
    }

    private static double ToMel(double hertz) => hertz < LogFromHertz ? hertz / LinearHertzPerMel : LogFromMel + (Elementary.Log(hertz / LogFromHertz) / LogStep);

    private static double ToHertz(double mel) => mel < LogFromMel ? mel * LinearHertzPerMel : LogFromHertz * Elementary.Exp((mel - LogFromMel) * LogStep);
}
