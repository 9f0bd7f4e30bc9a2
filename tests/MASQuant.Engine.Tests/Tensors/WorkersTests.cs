using MASQuant.Engine.Tensors;
using MASQuant.Engine.Tests.Gemm;

namespace MASQuant.Engine.Tests.Tensors;

[Collection(nameof(CpuLevels))]
public sealed class WorkersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_piece_runs_once(int threads) => WithThreads(threads, () =>
    {
        for (var pieces = 0; pieces < 200; pieces++)
        {
            var runs = new int[pieces];
            Workers.For(pieces, piece => Interlocked.Increment(ref runs[piece]));
            Assert.All(runs, count => Assert.Equal(1, count));
        }
    });

    [Fact]
    public void The_first_exception_is_rethrown_and_the_workers_live_on() => WithThreads(3, () =>
    {
        for (var round = 0; round < 20; round++)
        {
            var exception = Assert.Throws<InvalidOperationException>(
                () => Workers.For(50, piece => throw new InvalidOperationException("piece")));
            Assert.Equal("piece", exception.Message);
            var sum = 0;
            Workers.For(10, piece => Interlocked.Add(ref sum, piece));
            Assert.Equal(45, sum);
        }
    });

    [Fact]
    public void A_nested_call_runs_on_its_own_thread() => WithThreads(3, () => Workers.For(8, _ =>
    {
        var thread = Environment.CurrentManagedThreadId;
        Workers.For(8, _ => Assert.Equal(thread, Environment.CurrentManagedThreadId));
    }));

    [Fact]
    public void Several_threads_work_together() => WithThreads(2, () =>
    {
        // Each of two pieces waits for the other: one thread alone would not come back.
        using var both = new Barrier(2);
        Workers.For(2, _ => Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(30))));
    });

    [Fact]
    public void Callers_on_different_threads_do_not_disturb_each_other() => WithThreads(2, () =>
    {
        var totals = new int[4];
        var callers = totals.Select((_, caller) => new Thread(() =>
        {
            for (var round = 0; round < 200; round++)
            {
                Workers.For(5, piece => Interlocked.Add(ref totals[caller], piece));
            }
        })
        { IsBackground = true }).ToList();
        callers.ForEach(caller => caller.Start());
        Assert.All(callers, caller => Assert.True(caller.Join(TimeSpan.FromSeconds(60))));
        Assert.All(totals, total => Assert.Equal(2000, total));
    });

    private static void WithThreads(int count, Action body)
    {
        var before = Workers.Count;
        Workers.Count = count;
        try
        {
            body();
        }
        finally
        {
            Workers.Count = before;
        }
    }
}
