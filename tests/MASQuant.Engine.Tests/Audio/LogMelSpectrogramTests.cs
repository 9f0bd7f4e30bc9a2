using System.Numerics;
using MASQuant.Diagnostics;
using MASQuant.Engine.Audio.Preprocessing;
using MASQuant.Formats.Configuration;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Audio;

public class LogMelSpectrogramTests
{
    private static readonly PreprocessorConfig Config = new() { MinPixels = 3136, MaxPixels = 12845056, ImageMean = [0, 0, 0], ImageStd = [1, 1, 1] };

    [Theory]
    [InlineData("omni/audio")]
    [InlineData("omni/audio-long")]
    [InlineData("omni/two-audios")]
    [InlineData("omni/image-audio")]
    public void Frames_equal_the_reference_stack(string name)
    {
        var golden = Golden.Load(name);
        var clips = golden.Files.Where(f => f.EndsWith(".wav", StringComparison.Ordinal)).ToArray();
        for (var i = 0; i < clips.Length; i++)
        {
            var actual = new LogMelSpectrogram(Config).Process(AudioDecoder.Decode(File.ReadAllBytes(clips[i]), clips[i]));
            Assert.Equal(golden.Shape($"input_features.{i}"), new[] { actual.Rows, actual.Columns });
            var expected = golden.Floats($"input_features.{i}");
            for (var j = 0; j < expected.Length; j++)
            {
                // 1e-4 is the project's bound.
                Assert.True(MathF.Abs(expected[j] - actual.Data[j]) <= 1e-4f, $"clip {i}, mel {j / actual.Columns}, frame {j % actual.Columns}: {actual.Data[j]} is not {expected[j]}");
            }
        }
    }

    [Fact]
    public void A_clip_longer_than_the_model_takes_is_refused()
    {
        var config = Config with { ChunkLength = 1 };
        Assert.Equal(100, new LogMelSpectrogram(config).Process(new float[16000]).Columns);
        Assert.Equal(DiagnosticCodes.AudioTooLong, Assert.Throws<MASQuantException>(() => new LogMelSpectrogram(config).Process(new float[16001])).Code);
        Assert.Equal(DiagnosticCodes.AudioCorrupt, Assert.Throws<MASQuantException>(() => new LogMelSpectrogram(config).Process([])).Code);
    }

    [Fact]
    public void A_transform_of_a_large_prime_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new FourierTransform(2 * 37));

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(31)]
    [InlineData(60)]
    [InlineData(400)]
    public void The_transform_equals_its_definition(int length)
    {
        var random = new Random(length);
        var input = Enumerable.Range(0, length).Select(_ => new Complex(random.NextDouble() - 0.5, random.NextDouble() - 0.5)).ToArray();
        var output = new Complex[length];
        new FourierTransform(length).Transform(input, output);
        for (var k = 0; k < length; k++)
        {
            var expected = input.Select((x, n) => x * Complex.FromPolarCoordinates(1, -2 * Math.PI * ((long)k * n % length) / length)).Aggregate(Complex.Add);

            // Each of at most 400 terms is below 1 and errs by a few ulps of 2.2e-16.
            Assert.True((expected - output[k]).Magnitude < 1e-12, $"bin {k}: {output[k]} is not {expected}");
        }
    }
}
