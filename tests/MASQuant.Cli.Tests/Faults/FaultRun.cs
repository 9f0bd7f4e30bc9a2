namespace MASQuant.Cli.Tests.Faults;

/// <summary>What is done under a failure.</summary>
internal interface IFaultRun : IDisposable
{
    /// <summary>Does it, with nothing left of a run before.</summary>
    /// <returns>What is wrong afterwards.</returns>
    IEnumerable<string> Run(IFault fault);
}

/// <summary>A failure at the n-th call of a kind.</summary>
internal interface IFault
{
    /// <summary>How many calls of its kind there were.</summary>
    int Calls { get; }

    /// <summary>What failed.</summary>
    string Failed { get; }

    /// <summary>Works while it may happen.</summary>
    T During<T>(Func<T> work);
}
