using MASQuant.Engine.Generation;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>As many tokens are guessed as pay.</summary>
public sealed class GuessRateTests
{
    [Fact]
    public void Guesses_that_come_true_lengthen_and_wrong_ones_end_but_for_a_look_now_and_then()
    {
        var rate = new GuessRate();
        Assert.Equal(1, rate.Next());
        for (var i = 0; i < 40; i++)
        {
            rate.Learn(rate.Next(), rate.Next());
        }

        Assert.Equal(3, rate.Next());
        for (var i = 0; i < 40; i++)
        {
            rate.Learn(1, 0);
        }

        int[] looks = [.. Enumerable.Range(0, 160).Select(_ => rate.Next())];
        Assert.Equal((10, 1), (looks.Sum(), looks.Max()));
        while (rate.Next() < 2)
        {
            rate.Learn(1, 1); // What comes true again is guessed again.
        }
    }

    // Two that come true in turns with one that does not: one guess brings 1.5 tokens for 1.3 steps, two 1.75 for 1.6, so it stays at one.
    [Fact]
    public void Half_of_them_right_is_one_guess_a_step()
    {
        var rate = new GuessRate();
        for (var i = 0; i < 200; i++)
        {
            rate.Learn(1, i % 2);
            Assert.Equal(1, rate.Next());
        }
    }

    [Fact]
    public void What_follows_a_wrong_guess_tells_nothing()
    {
        var (whole, first) = (new GuessRate(), new GuessRate());
        for (var i = 0; i < 40; i++)
        {
            whole.Learn(3, i % 3 == 0 ? 0 : 1);
            first.Learn(i % 3 == 0 ? 1 : 2, i % 3 == 0 ? 0 : 1);
            Assert.Equal(first.Next(), whole.Next());
        }
    }
}
