using FsCheck;
using FsCheck.Fluent;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Engine.Serving;

namespace MASQuant.Engine.Tests.Serving;

/// <summary>What is found, what is replaced and what goes first.</summary>
public sealed class PrefixCacheTests
{
    [Fact]
    public void The_longest_beginning_is_found_and_one_token_is_left()
    {
        var cache = new PrefixCache(100);
        cache.Add(Tokens([1, 2, 3]), new Kept(3));
        cache.Add(Tokens([1, 2, 4, 5]), new Kept(4));

        Assert.Equal((4, 2), Found(cache, [1, 2, 3])); // the newer of two that serve alike
        Assert.Equal((3, 3), Found(cache, [1, 2, 3, 9]));
        Assert.Equal((4, 3), Found(cache, [1, 2, 4, 9, 9]));
        Assert.Equal((0, 0), Found(cache, [2, 1]));
    }

    [Fact]
    public void What_continues_an_entry_takes_its_place()
    {
        var cache = new PrefixCache(100);
        cache.Add(Tokens([7]), new Kept(1));
        cache.Add(Tokens([1, 2]), new Kept(2));
        cache.Add(Tokens([1, 2, 3]), new Kept(50));
        cache.Add(Tokens([8]), new Kept(49)); // 100 in all, if [1, 2] has gone; otherwise [7] goes

        Assert.Equal((50, 2), Found(cache, [1, 2, 9]));
        Assert.Equal((1, 1), Found(cache, [7, 9]));
    }

    [Fact]
    public void What_was_used_longest_ago_goes_first()
    {
        var cache = new PrefixCache(3);
        cache.Add(Tokens([1, 1]), new Kept(1));
        cache.Add(Tokens([2, 2]), new Kept(1));
        cache.Add(Tokens([3, 3]), new Kept(1));
        Found(cache, [1, 1, 1]);
        cache.Add(Tokens([4, 4]), new Kept(1));

        Assert.Equal((0, 0), Found(cache, [2, 2, 2]));
        Assert.Equal((1, 2), Found(cache, [1, 1, 1]));
        cache.Add(Tokens([5, 5]), new Kept(3)); // takes all room
        Assert.Equal((0, 0), Found(cache, [1, 1, 1]));
        Assert.Equal((3, 1), Found(cache, [5, 9]));
    }

    // Answers to one prompt that are given up, each after another token.
    [Fact]
    public void What_another_continues_is_not_kept_beside_it()
    {
        var cache = new PrefixCache(10);
        cache.Add(Tokens([7, 7]), new Kept(2));
        cache.Add(Tokens([1, 2, 3, 4]), new Kept(4));
        cache.Add(Tokens([1, 2, 3]), new Kept(3));
        cache.Add(Tokens([1, 2]), new Kept(2));
        cache.Add(Tokens([8, 8]), new Kept(4)); // 10 in all, if [1, 2, 3] and [1, 2] are not there; otherwise [7, 7] goes

        Assert.Equal((4, 3), Found(cache, [1, 2, 3, 9]));
        Assert.Equal((2, 2), Found(cache, [7, 7, 9]));
        cache.Add(Tokens([8]), new Kept(1)); // was asked for last
        cache.Add(Tokens([9, 9]), new Kept(4));
        Assert.Equal((4, 2), Found(cache, [8, 8, 9]));
        Assert.Equal((0, 0), Found(cache, [1, 2, 9]));
    }

    [Fact]
    public void What_is_larger_than_all_room_takes_no_other_out()
    {
        var cache = new PrefixCache(3);
        cache.Add(Tokens([1, 1]), new Kept(3));
        cache.Add(Tokens([1, 1, 1]), new Kept(4));

        Assert.Equal((3, 2), Found(cache, [1, 1, 1, 1]));
    }

    // Beside a list that is searched in full: entries that continue each other in any order, with little room.
    [Fact]
    public void Whatever_comes_in_whatever_order_is_kept_as_a_list_would()
        => Prop.ForAll(Gen.Choose(0, 1).ArrayOf().Where(ids => ids.Length is > 0 and < 6).Zip(Gen.Choose(0, 3)).ListOf().ToArbitrary(), steps =>
        {
            const int Room = 12;
            var cache = new PrefixCache(Room);
            var entries = new List<(int[] Ids, int Bytes)>(); // used last stands first
            foreach (var (ids, bytes) in steps)
            {
                if (bytes == 0)
                {
                    var most = entries.Select(entry => Math.Min(Common(entry.Ids, ids), ids.Length - 1)).DefaultIfEmpty().Max();
                    var best = entries.Find(entry => Math.Min(Common(entry.Ids, ids), ids.Length - 1) == most);
                    if (Found(cache, ids) != (most == 0 ? (0, 0) : (best.Bytes, most)))
                    {
                        return false;
                    }

                    Use(most == 0 ? null : best.Ids);
                    continue;
                }

                cache.Add(Tokens(ids), new Kept(bytes * 2));
                if (entries.Find(entry => Common(entry.Ids, ids) == ids.Length).Ids is { } longer)
                {
                    Use(longer);
                    continue;
                }

                entries.RemoveAll(entry => Common(entry.Ids, ids) == entry.Ids.Length);
                entries.Insert(0, (ids, bytes * 2));
                while (entries.Sum(entry => entry.Bytes) > Room)
                {
                    entries.RemoveAt(entries.Count - 1);
                }
            }

            return true;

            void Use(int[]? ids)
            {
                if (ids is not null)
                {
                    var entry = entries.Find(entry => entry.Ids == ids);
                    entries.Remove(entry);
                    entries.Insert(0, entry);
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithReplay(3, 11));

    // A model may write the tokens that stand for a medium; what it wrote is none.
    [Fact]
    public void Media_of_the_prompt_alone_are_not_there()
    {
        Assert.Equal(1, Tokens([1, 9, 9, 2]).CommonLength(Tokens([1, 9, 9, 2, 3], (1, 3, "a"))));
        Assert.Equal(3, Tokens([1, 9, 9], (1, 3, "a")).Then([9, 9]).CommonLength(Tokens([1, 9, 9, 9, 9, 3], (1, 3, "a"), (3, 5, "a"))));
    }

    [Fact]
    public void Media_are_alike_as_wholes()
    {
        var tokens = Tokens([1, 9, 9, 2, 3], (1, 3, "a"));

        Assert.Equal(5, tokens.CommonLength(Tokens([1, 9, 9, 2, 3], (1, 3, "a"))));
        Assert.Equal(1, tokens.CommonLength(Tokens([1, 9, 9, 2, 3], (1, 3, "b"))));
        Assert.Equal(4, tokens.CommonLength(Tokens([1, 9, 9, 2, 4], (1, 3, "a"))));
        Assert.Equal(1, tokens.CommonLength(Tokens([1, 9, 9, 9, 3], (1, 4, "a"))));
        Assert.Equal(1, tokens.CommonLength(Tokens([1, 9], (1, 3, "a"))));
    }

    [Fact]
    public void Tokens_elsewhere_are_others()
        => Assert.Equal(0, Tokens([1, 2, 3]).CommonLength(new PromptTokens([1, 2, 3], PositionIds.Text(5, 3), [])));

    private static int Common(int[] one, int[] other) => one.AsSpan().CommonPrefixLength(other);

    private static (long, int) Found(PrefixCache cache, int[] ids)
    {
        var (kept, tokens, _) = cache.Find(Tokens(ids));
        return (kept?.Bytes ?? 0, tokens);
    }

    private static PromptTokens Tokens(int[] ids, params (int, int, string)[] media) => new(ids, PositionIds.Text(0, ids.Length), media);

    private sealed record Kept(long Bytes) : IKeptTokens
    {
        public int Length => 0;
    }
}
