namespace MASQuant.Cli.Tests.Faults;

/// <summary>Memory that has no room for the n-th large array.</summary>
/// <param name="first">The array, from 1; 0 for none.</param>
internal sealed class FailingMemory(int first)
{
    /// <summary>How many arrays there were.</summary>
    public int Arrays { get; private set; }

    public void Taking(long bytes)
    {
        if (++Arrays == first)
        {
#pragma warning disable CA2201 // What the runtime throws is what is tried.
            throw new OutOfMemoryException("No memory, says the test.");
#pragma warning restore CA2201
        }
    }
}
