namespace MASQuant.Tensors;

/// <summary>Runs independent pieces of work on the process's worker threads. Which thread runs a piece never changes a result.</summary>
public static class Workers
{
    private static int _count = Environment.ProcessorCount;

    /// <summary>How many threads work at once; by default one per core.</summary>
    public static int Count
    {
        get => _count;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _count = value;
        }
    }

    /// <summary>Runs <paramref name="body"/> for 0 … <paramref name="pieces"/> − 1 and returns when all are done.</summary>
    public static void For(int pieces, Action<int> body)
    {
        if (pieces <= 1 || _count == 1)
        {
            for (var piece = 0; piece < pieces; piece++)
            {
                body(piece);
            }

            return;
        }

        Parallel.For(0, pieces, new ParallelOptions { MaxDegreeOfParallelism = _count }, body);
    }
}
