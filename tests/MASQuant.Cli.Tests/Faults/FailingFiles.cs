namespace MASQuant.Cli.Tests.Faults;

/// <summary>A file system that fails at its n-th call, once or for good: now as a full disk does, now as one that may not be written.</summary>
/// <param name="first">The call, from 1; 0 for none.</param>
/// <param name="forGood">Whether all calls after it fail too.</param>
internal sealed class FailingFiles(int first, bool forGood) : HeardFiles
{
    /// <summary>How many calls there were.</summary>
    public int Calls { get; private set; }

    /// <summary>What failed first.</summary>
    public string Failed { get; private set; } = "";

    protected override void Before(FileCall call, string path)
    {
        Calls++;
        if (first > 0 && (Calls == first || (forGood && Calls > first)))
        {
            Failed = Failed.Length > 0 ? Failed : $"{call} {path}";
            throw first % 2 == 0 ? new IOException("No space left on device, says the test.") : new UnauthorizedAccessException("Access is denied, says the test.");
        }
    }
}
