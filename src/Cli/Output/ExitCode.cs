namespace MASQuant.Cli.Output;

/// <summary>What the process returns.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>An error whose cause lies in the input or the machine.</summary>
    public const int BadInput = 1;

    /// <summary>The command line is not understood.</summary>
    public const int Usage = 2;

    /// <summary>A defect of the tool; BSD's EX_SOFTWARE.</summary>
    public const int Internal = 70;

    /// <summary>Ended by Ctrl-C, as shells report it: 128 + SIGINT.</summary>
    public const int Cancelled = 130;

    /// <summary>The codes, for people.</summary>
    public const string Summary = "0 done, 1 bad input, 2 wrong usage, 70 internal error, 130 cancelled";
}
