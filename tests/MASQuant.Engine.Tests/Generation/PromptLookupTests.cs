using FsCheck;
using FsCheck.Fluent;
using MASQuant.Engine.Generation;

namespace MASQuant.Engine.Tests.Generation;

public class PromptLookupTests
{
    // Few kinds of tokens, so that three of them come again; the definition looks for them from the end.
    [Fact]
    public void A_guess_is_what_stood_behind_the_last_three_tokens_before()
        => Prop.ForAll(Gen.Choose(0, 2).ArrayOf().Zip(Gen.Choose(-1, 6)).ToArbitrary(), given =>
        {
            var (tokens, most) = given;
            var lookup = new PromptLookup(64);
            lookup.Begin(tokens.AsSpan(0, tokens.Length / 2));
            foreach (var token in tokens.AsSpan(tokens.Length / 2))
            {
                lookup.Add(token);
            }

            var expected = Enumerable.Range(3, Math.Max(0, tokens.Length - 3)).Reverse().Where(i => tokens.AsSpan(i - 3, 3).SequenceEqual(tokens.AsSpan(tokens.Length - 3))).Select(i => tokens.Skip(i).Take(Math.Min(Math.Max(0, most), 4))).FirstOrDefault([]);
            return lookup.Guess(most).ToArray().SequenceEqual(expected);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000).WithReplay(5, 7));

    [Fact]
    public void A_sequence_guesses_of_its_prompt()
    {
        var sequence = new Sequence(0, new GenerationOptions { DraftTokens = 4 }, []);
        sequence.Begin([1, 2, 3, 4, 5, 1, 2]);
        sequence.Add(3);
        Assert.Equal([4, 5, 1, 2], sequence.Lookup!.Guess(9).ToArray());
    }

    [Fact]
    public void Guesses_grow_while_they_come_true_and_pause_while_most_do_not()
    {
        var lookup = new PromptLookup(20);
        lookup.Begin([.. Enumerable.Range(0, 200).Select(i => i % 40)]);
        int Length() => lookup.Guess(64).Length;

        Assert.Equal(4, Length());
        lookup.Learn(4, 4);
        Assert.Equal(8, Length());
        lookup.Learn(8, 8);
        lookup.Learn(16, 16);
        Assert.Equal(20, Length());
        lookup.Learn(20, 10);
        Assert.Equal(20, Length());

        var pauses = new List<int>();
        for (var i = 0; i < 8; i++)
        {
            lookup.Learn(20, 9);
            var pause = 0;
            int length;
            while ((length = Length()) == 0)
            {
                pause++;
            }

            Assert.Equal(4, length);
            pauses.Add(pause);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 64], pauses);
        lookup.Learn(4, 2);
        lookup.Learn(8, 3);
        Assert.Equal((0, 4), (Length(), Length()));
    }
}
