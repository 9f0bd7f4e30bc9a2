using System.Text;
using MASQuant.Engine.Constraints;

namespace MASQuant.Engine.Tests.Constraints;

/// <summary>A thought ends at the first mark, wherever parts of marks precede it, and two line ends follow.</summary>
public class ThoughtExpressionTests
{
    private const string End = "</think>";

    [Fact]
    public void Every_text_is_a_thought_until_the_first_mark()
    {
        var machine = new ByteMachine(ThoughtExpression.Of(End));
        var random = new Random(5);
        for (var trial = 0; trial < 3000; trial++)
        {
            var thought = Thought(random);
            var first = (thought + End).IndexOf(End, StringComparison.Ordinal);
            Assert.Equal(thought.Length, first);
            var state = Read(machine, machine.Start, thought + End)!;
            Assert.NotNull(state);
            Assert.False(state.IsWhole);
            Assert.Null(Read(machine, state, "a"));
            Assert.Null(Read(machine, state, "\na"));
            var whole = Read(machine, state, "\n\n")!;
            Assert.True(whole is { IsWhole: true, IsEnd: true });
        }
    }

    [Fact]
    public void Any_byte_may_be_thought()
    {
        var machine = new ByteMachine(ThoughtExpression.Of(End));
        Assert.All(Enumerable.Range(0, 256), value => Assert.NotNull(machine.Next(machine.Start, (byte)value)));
    }

    [Fact]
    public void A_mark_that_holds_its_own_beginning_is_refused()
        => Assert.Throws<ArgumentException>(() => ThoughtExpression.Of("]]"));

    // Parts of the mark, whole ones aside.
    private static string Thought(Random random)
    {
        var text = new StringBuilder();
        for (var count = random.Next(12); count > 0; count--)
        {
            text.Append(random.Next(3) == 0 ? "x" : End[..random.Next(End.Length)]);
        }

        return (text + End).IndexOf(End, StringComparison.Ordinal) == text.Length ? text.ToString() : Thought(random);
    }

    private static ByteMachine.State? Read(ByteMachine machine, ByteMachine.State state, string text)
    {
        ByteMachine.State? next = state;
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            next = next is null ? null : machine.Next(next, value);
        }

        return next;
    }
}
