using System.Runtime.CompilerServices;
using MASQuant.Engine.Generation;

namespace MASQuant.Engine.Tests.Generation;

public class TokenDrawTests
{
    // Every weight unit is some random number's: the first that of 0, the last that of the largest.
    [Theory]
    [InlineData(0, 1000, 1)]
    [InlineData(1ul << 63, 1000, 501)]
    [InlineData(ulong.MaxValue, 1000, 1000)]
    [InlineData(ulong.MaxValue, 1ul << 63, 1ul << 63)]
    public void Targets_reach_from_one_to_the_total(ulong random, ulong total, ulong expected) => Assert.Equal(expected, new TokenDraw(random, 0, 1, 0).Target(total));

    [Theory]
    [InlineData(1, 1000, 1)] // 2⁻⁶⁴: something is kept
    [InlineData(1ul << 62, 1000, 250)]
    [InlineData(1ul << 62, 1001, 251)] // 250.25
    [InlineData(ulong.MaxValue, 1000, 1000)]
    public void APortionIsReachedNotApproached(ulong topP, ulong total, ulong expected) => Assert.Equal(expected, new TokenDraw(0, topP, 1, 0).Wanted(total));

    [Fact]
    public void Options_become_what_the_device_reads()
    {
        Assert.Equal(TokenDraw.Bytes, Unsafe.SizeOf<TokenDraw>());
        var draw = new Sampler(new GenerationOptions { Temperature = 0.5, TopP = 0.25, TopK = 7, MinP = 0.75, Seed = 3 }).NextDraw();
        Assert.Equal(new TokenDraw(new RandomSequence(3).Next(), 1ul << 62, 2, 7, 3ul << 37), draw);
        Assert.Equal(new TokenDraw(0, 0, 0, 0), new Sampler(new GenerationOptions()).NextDraw());
    }
}
