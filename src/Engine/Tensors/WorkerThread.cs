using System.Diagnostics;

namespace MASQuant.Engine.Tensors;

/// <summary>One thread of a <see cref="WorkerPool"/>: spins briefly for the next job, then sleeps.</summary>
internal sealed class WorkerThread
{
    // Long enough to span the serial code between two layers, short enough not to disturb other processes.
    private static readonly long SpinTicks = Stopwatch.Frequency / 20_000;

    private readonly WorkerPool _pool;
    private readonly SemaphoreSlim _wake = new(0);
    private int _started;
    private int _asleep;

    public WorkerThread(WorkerPool pool, int number)
    {
        _pool = pool;
        new Thread(Loop) { IsBackground = true, Name = $"MASQuant worker {number + 1}" }.UnsafeStart(); // It outlives its first caller, whose context it must not keep.
    }

    /// <summary>Asks the thread to take part in the pool's job.</summary>
    public void Start()
    {
        Interlocked.Exchange(ref _started, 1);
        if (Interlocked.Exchange(ref _asleep, 0) == 1)
        {
            _wake.Release();
        }
    }

    /// <summary>Takes back a <see cref="Start"/> that the thread has not seen yet.</summary>
    public bool TryRetract() => Interlocked.CompareExchange(ref _started, 0, 1) == 1;

    private void Loop()
    {
        while (true)
        {
            Wait();
            if (Interlocked.CompareExchange(ref _started, 0, 1) == 1)
            {
                _pool.TakePart();
            }
        }
    }

    private void Wait()
    {
        var deadline = Stopwatch.GetTimestamp() + SpinTicks;
        while (Volatile.Read(ref _started) == 0)
        {
            if (Stopwatch.GetTimestamp() < deadline)
            {
                Thread.SpinWait(10);
                continue;
            }

            Interlocked.Exchange(ref _asleep, 1);

            // A start between the last look and the mark above has not released the semaphore: look again.
            if (Volatile.Read(ref _started) == 1 && Interlocked.Exchange(ref _asleep, 0) == 1)
            {
                return;
            }

            _wake.Wait();
            return;
        }
    }
}
