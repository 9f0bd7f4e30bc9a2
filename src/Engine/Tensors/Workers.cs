namespace MASQuant.Engine.Tensors;

/// <summary>Runs independent pieces of work on the process's worker threads. Which thread runs a piece never changes a result.</summary>
/// <remarks>The threads are started once and kept. A call from inside a piece, or while another thread has the workers, runs on the calling thread.</remarks>
public static class Workers
{
    private static readonly WorkerPool Pool = new();
    private static int _count = Environment.ProcessorCount;

    /// <summary>How many threads work at once, the calling one included; by default one per core.</summary>
    public static int Count
    {
        get => _count;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _count = value;
        }
    }

    /// <summary>Runs <paramref name="body"/> for 0 … <paramref name="pieces"/> − 1 and returns when all are done. The first exception of a piece is rethrown here; pieces not yet begun are then dropped.</summary>
    public static void For(int pieces, Action<int> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        For(pieces, new ActionWork(body));
    }

    /// <summary>The form for callers that keep their work item and must not allocate.</summary>
    internal static void For(int pieces, IWork work)
    {
        var threads = Math.Min(_count, pieces);
        if (threads > 1 && Pool.TryRun(work, pieces, threads - 1))
        {
            return;
        }

        for (var piece = 0; piece < pieces; piece++)
        {
            work.Run(piece);
        }
    }

    private sealed class ActionWork(Action<int> body) : IWork
    {
        public void Run(int piece) => body(piece);
    }
}
