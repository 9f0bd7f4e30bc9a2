using MASQuant.Engine.Audio.Preprocessing;

namespace MASQuant.Engine.Tests.Audio;

public class ResamplerTests
{
    // A 100 dB filter and its own ripple each err by 1e-5 of the amplitude.
    private const double Tolerance = 3e-5;

    [Theory]
    [InlineData(8000, 3000)]
    [InlineData(22050, 7000)]
    [InlineData(44100, 7000)]
    [InlineData(48000, 440)]
    [InlineData(15999, 5000)]
    [InlineData(96000, 7150)]
    [InlineData(95999, 7150)]
    public void A_tone_below_both_nyquist_rates_keeps_its_shape(int rate, double hertz)
    {
        var resampled = Resampler.Resample(Tone(rate, hertz, rate / 2), rate, 16000);

        Assert.Equal(8000, resampled.Length);
        var expected = Tone(16000, hertz, 8000);

        // Within the kernel's reach of the ends the tone's own beginning and end are heard.
        for (var i = 500; i < 7500; i++)
        {
            Assert.True(Math.Abs(expected[i] - resampled[i]) < Tolerance, $"sample {i}: {resampled[i]} is not {expected[i]}");
        }
    }

    [Theory]
    [InlineData(44100, 8500)]
    [InlineData(48000, 20000)]
    public void A_tone_above_the_new_nyquist_rate_is_removed(int rate, double hertz)
    {
        var resampled = Resampler.Resample(Tone(rate, hertz, rate / 2), rate, 16000);
        Assert.All(resampled[500..7500], s => Assert.True(Math.Abs(s) < Tolerance));
    }

    [Fact]
    public void The_models_rate_passes_unchanged()
    {
        var samples = Tone(16000, 440, 100);
        Assert.Same(samples, Resampler.Resample(samples, 16000, 16000));
    }

    private static float[] Tone(int rate, double hertz, int count) =>
        [.. Enumerable.Range(0, count).Select(i => (float)Math.Sin((2 * Math.PI * hertz * i / rate) + 0.3))];
}
