using MASQuant.Engine.Layers;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Tests.Layers;

/// <summary>What a sequence keeps for the head that guesses ahead has a place for every token, or none from one on.</summary>
public sealed class GuessMemoryTests
{
    private const int Width = 8;
    private static readonly AttendStep Step = new(1, 1, 32, AttentionSpan.Causal);
    private static readonly Matrix Rows = new RandomValues(1).Matrix(4, Width);

    // Five tokens have keys and values, four wait.
    [Theory]
    [InlineData(9, 5, 4)]
    [InlineData(8, 5, 3)]
    [InlineData(6, 5, 1)]
    [InlineData(5, 4, 1)]
    [InlineData(3, 2, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(0, 0, 0)]
    public void Tokens_are_forgotten_from_any_on(int length, int settled, int waiting)
    {
        var memory = Filled();
        memory.Truncate(length);
        AssertHolds(memory, length, settled, waiting);
        for (var i = 0; i < waiting; i++)
        {
            Assert.Equal(length > 5 ? Rows.Row(i).ToArray() : new float[Width], memory.Row(i).ToArray());
        }
    }

    // A copy waits with its last token, whose row is known where it was kept.
    [Theory]
    [InlineData(6, 5, 1)]
    [InlineData(5, 4, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(0, 0, 0)]
    public void Another_takes_its_beginning(int length, int settled, int waiting)
    {
        var copy = Filled();
        copy.CopyFrom(Filled(), length);
        AssertHolds(copy, length, settled, waiting);
        if (waiting > 0)
        {
            Assert.Equal(length > 5 ? Rows.Row(0).ToArray() : new float[Width], copy.Row(0).ToArray());
        }
    }

    [Fact]
    public void What_one_has_not_seen_no_copy_has()
    {
        var copy = Filled();
        copy.CopyFrom(Filled(), 7);
        Assert.Equal(0, copy.Length);
    }

    [Fact]
    public void Tokens_that_passed_by_are_not_taken_up_again()
    {
        var memory = Filled();
        memory.Follow(10, [1], Rows.Top(1));
        Assert.Equal((9, 4), (memory.Length, memory.Waiting.Count));
    }

    private static GuessMemory Filled()
    {
        var (memory, keys) = (new GuessMemory(Width, KeyValueFormat.Float32), new Matrix(5, 32));
        memory.Block.KeysAndValues(Step).Append(keys, keys, 0, 5);
        memory.Follow(5, [21, 22, 23, 24], Rows);
        return memory;
    }

    private static void AssertHolds(GuessMemory memory, int length, int settled, int waiting) => Assert.Equal((length, settled, waiting), (memory.Length, memory.Block.Length, memory.Waiting.Count));
}
