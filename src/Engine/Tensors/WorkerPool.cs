using System.Runtime.ExceptionServices;

namespace MASQuant.Engine.Tensors;

/// <summary>The threads behind <see cref="Workers"/>. One job at a time; the caller takes part and never waits for a thread that has not begun.</summary>
internal sealed class WorkerPool
{
    private readonly List<WorkerThread> _threads = [];
    private int _busy;
    private IWork? _work;
    private int _pieces;
    private int _next;
    private int _running;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Runs all pieces on up to <paramref name="threads"/> threads, the calling one included; on that one alone when the pool is taken, be it by the piece that calls.</summary>
    public void Run(IWork work, int pieces, int threads)
    {
        threads = Math.Min(threads, pieces);
        if (threads > 1 && TryRun(work, pieces, threads - 1))
        {
            return;
        }

        for (var piece = 0; piece < pieces; piece++)
        {
            work.Run(piece);
        }
    }

    private bool TryRun(IWork work, int pieces, int helpers)
    {
        if (Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            return false;
        }

        try
        {
            RunJob(work, pieces, helpers);
        }
        finally
        {
            _work = null;
            var failure = _failure;
            _failure = null;
            Volatile.Write(ref _busy, 0);
            failure?.Throw();
        }

        return true;
    }

    private void RunJob(IWork work, int pieces, int helpers)
    {
        while (_threads.Count < helpers)
        {
            _threads.Add(new WorkerThread(this, _threads.Count));
        }

        _work = work;
        _pieces = pieces;
        _next = 0;
        Volatile.Write(ref _running, helpers);
        for (var i = 0; i < helpers; i++)
        {
            _threads[i].Start();
        }

        RunPieces();
        for (var i = 0; i < helpers; i++)
        {
            if (_threads[i].TryRetract())
            {
                Interlocked.Decrement(ref _running);
            }
        }

        var spin = default(SpinWait);
        while (Volatile.Read(ref _running) != 0)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>What a worker thread does between being started and being idle again.</summary>
    internal void TakePart()
    {
        RunPieces();
        Interlocked.Decrement(ref _running);
    }

    private void RunPieces()
    {
        var work = _work!;
        try
        {
            int piece;
            while ((piece = Interlocked.Increment(ref _next) - 1) < _pieces)
            {
                work.Run(piece);
            }
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
            Volatile.Write(ref _next, _pieces);
        }
    }
}
