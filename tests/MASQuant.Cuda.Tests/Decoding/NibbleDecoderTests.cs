using MASQuant.Cuda.Models;
using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Decoding;

/// <summary>A decoder of W4A4 gives the same bits with the 4-bit MMA and without: sums of integers have no order.</summary>
[Trait("Lane", "slow")]
public sealed class NibbleDecoderTests
{
    // In one chunk and in several; the wide kernels of 9.0 take more than 64 tokens.
    [Theory]
    [InlineData(11, 11)]
    [InlineData(40, 7)]
    [InlineData(70, 70)]
    public void Devices_agree(int tokens, int chunk)
    {
        var model = new SmallDecoder(QuantizationScheme.W4A4, seed: 1);
        var prompt = model.Prompt(tokens);
        float[] Logits(int capability)
        {
            using var decoder = model.On(new EmulatedDevice { ComputeCapability = capability });
            using var session = new DeviceSession(decoder, chunk);
            return session.Logits(prompt, ..).Data;
        }

        var nibbles = Logits(86);
        Assert.True(nibbles.Distinct().Count() > nibbles.Length / 2);
        Assert.Equal(Logits(90), nibbles);
        Assert.Equal(Logits(120), nibbles);
    }
}
