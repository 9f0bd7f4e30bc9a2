namespace MASQuant.Engine.Tensors;

/// <summary>Runs independent pieces of work on the process's worker threads. Which thread runs a piece never changes a result.</summary>
/// <remarks>The threads are started once and kept. A call from inside a piece, or while another thread has the workers, runs on the calling thread.</remarks>
public static class Workers
{
    private static readonly WorkerPool Pool = new();

    /// <summary>How many threads work at once, the calling one included: one per core that the runtime may use (<c>DOTNET_PROCESSOR_COUNT</c> lowers it).</summary>
    public static int Count { get; } = Environment.ProcessorCount;

    /// <summary>Runs <paramref name="body"/> for 0 … <paramref name="pieces"/> − 1 and returns when all are done. The first exception of a piece is rethrown here; pieces not yet begun are then dropped.</summary>
    public static void For(int pieces, Action<int> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        Pool.Run(new ActionWork(body), pieces, Count);
    }

    /// <summary>The form for callers that keep their work item and must not allocate.</summary>
    internal static void For(int pieces, IWork work) => Pool.Run(work, pieces, Count);

    /// <summary>The same on <paramref name="threads"/> threads, whatever the machine has.</summary>
    internal static void For(int pieces, IWork work, int threads) => Pool.Run(work, pieces, threads);
}
