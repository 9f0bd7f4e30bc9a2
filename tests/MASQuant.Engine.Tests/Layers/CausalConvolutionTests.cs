using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Tests.Layers;

/// <summary>The convolution ahead of a state against its definition, and the same bits wherever passes begin.</summary>
public sealed class CausalConvolutionTests
{
    private static readonly ConvolveStep Step = new("w", Channels: 37, Width: 4);

    [Theory]
    [InlineData(40)]
    [InlineData(1, 1, 1, 1, 36)]
    [InlineData(2, 38)]
    [InlineData(17, 3, 20)]
    public void Rows_are_those_of_the_definition(params int[] passes)
    {
        var random = new Random(1);
        float[] weights = [.. Enumerable.Range(0, Step.Channels * Step.Width).Select(_ => (2 * random.NextSingle()) - 1)];
        var x = new Matrix(40, Step.Channels, [.. Enumerable.Range(0, 40 * Step.Channels).Select(_ => (4 * random.NextSingle()) - 2)]);
        var (actual, memory, recurrence, first) = (x.Copy(), new LayerMemory(), new Recurrence(), 0);
        foreach (var count in passes)
        {
            var part = new Matrix(count, Step.Channels, actual.Span.Slice(first * Step.Channels, count * Step.Channels).ToArray());
            recurrence.Begin([memory]);
            recurrence.Convolve(Step, new CausalConvolution(weights, Step.Channels, Step.Width), part);
            part.Span.CopyTo(actual.Span[(first * Step.Channels)..]);
            first += count;
        }

        for (var t = 0; t < x.Rows; t++)
        {
            for (var channel = 0; channel < Step.Channels; channel++)
            {
                var (sum, size) = (0.0, 0.0);
                for (var tap = Math.Max(0, 3 - t); tap < Step.Width; tap++)
                {
                    var term = (double)weights[(channel * Step.Width) + tap] * x[t - 3 + tap, channel];
                    (sum, size) = (sum + term, size + Math.Abs(term));
                }

                // Four rounded terms; SiLU's slope is at most 1.1, and its own operations round a value no larger than the sum four times, the exponential by a unit.
                var bound = ((4 * 1.1 * size) + (6 * Math.Abs(sum))) / (1 << 24);
                Assert.Equal(sum / (1 + Math.Exp(-sum)), actual[t, channel], bound + 1e-30);
            }
        }
    }
}
