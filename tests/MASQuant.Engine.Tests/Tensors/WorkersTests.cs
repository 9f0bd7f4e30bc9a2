using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Tests.Tensors;

public sealed class WorkersTests
{
    private readonly WorkerPool _pool = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_piece_runs_once(int threads)
    {
        for (var pieces = 0; pieces < 200; pieces++)
        {
            var runs = new int[pieces];
            For(pieces, threads, piece => Interlocked.Increment(ref runs[piece]));
            Assert.All(runs, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void The_first_exception_is_rethrown_and_the_workers_live_on()
    {
        for (var round = 0; round < 20; round++)
        {
            var exception = Assert.Throws<InvalidOperationException>(
                () => For(50, 3, piece => throw new InvalidOperationException("piece")));
            Assert.Equal("piece", exception.Message);
            var sum = 0;
            For(10, 3, piece => Interlocked.Add(ref sum, piece));
            Assert.Equal(45, sum);
        }
    }

    [Fact]
    public void A_nested_call_runs_on_its_own_thread() => For(8, 3, _ =>
    {
        var thread = Environment.CurrentManagedThreadId;
        For(8, 3, _ => Assert.Equal(thread, Environment.CurrentManagedThreadId));
    });

    [Fact]
    public void Several_threads_work_together()
    {
        // Each of two pieces waits for the other: one thread alone would not come back.
        using var both = new Barrier(2);
        For(2, 2, _ => Assert.True(both.SignalAndWait(TimeSpan.FromSeconds(30))));
    }

    [Fact]
    public void Callers_on_different_threads_do_not_disturb_each_other()
    {
        var totals = new int[4];
        var callers = totals.Select((_, caller) => new Thread(() =>
        {
            for (var round = 0; round < 200; round++)
            {
                For(5, 2, piece => Interlocked.Add(ref totals[caller], piece));
            }
        })
        { IsBackground = true }).ToList();
        callers.ForEach(caller => caller.Start());
        Assert.All(callers, caller => Assert.True(caller.Join(TimeSpan.FromSeconds(60))));
        Assert.All(totals, total => Assert.Equal(2000, total));
    }

    private void For(int pieces, int threads, Action<int> body) => _pool.Run(new ActionWork(body), pieces, threads);
}
