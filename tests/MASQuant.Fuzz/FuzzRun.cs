namespace MASQuant.Fuzz;

/// <summary>Gives a target mutated inputs, one after the other, and notes which end other than they should. The same seed gives the same inputs; each follows from seed and number alone.</summary>
/// <param name="target">The reader.</param>
/// <param name="seed">The seed.</param>
internal sealed class FuzzRun(FuzzTarget target, int seed)
{
    /// <summary>The longest that an input may take, in seconds of processors, which a busy machine does not change. Inputs take tens of microseconds; the quickest of a few tries counts, so that a collection of garbage makes no finding.</summary>
    public const double MostSeconds = 1;

    private const int MostChanges = 4;
    private const int Tries = 3;
    private const int HangSeconds = 60;

    private readonly byte[][] _corpus = [.. CorpusFiles.Of(target).Concat(CorpusFiles.Regressions(target)).Select(File.ReadAllBytes)];

    /// <summary>What broke a promise, and how.</summary>
    public List<(byte[] Input, string Problem)> Findings { get; } = [];

    /// <summary>The inputs that ended in a value; all others ended in a code.</summary>
    public int Values { get; private set; }

    /// <summary>The longest that an input took, in seconds of processors.</summary>
    public double Slowest { get; private set; }

    /// <summary>The most that an input allocated, in bytes.</summary>
    public long MostAllocated { get; private set; }

    /// <summary>Runs inputs <paramref name="first"/> … <paramref name="first"/> + <paramref name="count"/> − 1.</summary>
    public void Run(int first, int count)
    {
        for (var number = first; number < first + count; number++)
        {
            Check(Input(number));
        }
    }

    /// <summary>Input <paramref name="number"/>.</summary>
    public byte[] Input(int number)
    {
        var random = new Random(unchecked((int)(((uint)seed * 0x9E3779B9) ^ ((uint)number * 0x85EBCA6B))));
        var input = _corpus[random.Next(_corpus.Length)];
        for (var change = random.Next(MostChanges); change >= 0; change--)
        {
            input = target.Mutate(input, _corpus[random.Next(_corpus.Length)], random);
            input = input.Length <= FuzzTarget.MaxLength ? input : input[..FuzzTarget.MaxLength];
        }

        return input;
    }

    /// <summary>Reads one input and notes what is wrong with how it ends.</summary>
    public void Check(byte[] input)
    {
        if (Read(input, out var seconds) is { } problem)
        {
            Findings.Add((input, problem));
        }

        for (var left = Tries - 1; left > 0 && seconds > MostSeconds; left--)
        {
            Read(input, out var again);
            seconds = Math.Min(seconds, again);
        }

        Slowest = Math.Max(Slowest, seconds);
        if (seconds > MostSeconds)
        {
            Findings.Add((input, FormattableString.Invariant($"takes {seconds:F1} s")));
        }
    }

    private string? Read(byte[] input, out double seconds)
    {
        using var watchdog = new Timer(_ => EndHung(input), null, TimeSpan.FromSeconds(HangSeconds), Timeout.InfiniteTimeSpan);
        var allocated = GC.GetTotalAllocatedBytes(); // Of all threads that work for the reader.
        var time = Environment.CpuUsage.TotalTime;
        string? problem = null;
        try
        {
            target.Read(input);
            Values++;
        }
        catch (MASQuantException error)
        {
            problem = Hidden(error);
        }
        catch (Exception error)
        {
            problem = $"{error.GetType().Name}: {error.Message}{Place(error)}";
        }

        seconds = (Environment.CpuUsage.TotalTime - time).TotalSeconds;
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        MostAllocated = Math.Max(MostAllocated, allocated);
        return problem ?? (allocated > target.MostBytes(input.Length) ? $"allocates {allocated} bytes for {input.Length}" : null);
    }

    // A border that translates whatever is thrown would hide a fault of ours: only what libraries throw at broken input may stand behind a code.
    private static string? Hidden(MASQuantException error) => error.InnerException is null or MASQuantException or System.Text.Json.JsonException or InvalidOperationException or FormatException or InvalidDataException or IOException or UnauthorizedAccessException
        ? null
        : $"{error.Code} hides {error.InnerException.GetType().Name}: {error.InnerException.Message}{Place(error.InnerException)}";

    private static string Place(Exception error) => error.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("MASQuant.", StringComparison.Ordinal)) is { } line ? "\n" + line : "";

    // No thread can be ended, so the process is.
    private void EndHung(byte[] input)
    {
        var file = Path.Combine(Path.GetTempPath(), $"masquant-hang-{target.Name}");
        File.WriteAllBytes(file, input);
        Environment.FailFast($"An input of {target.Name} takes more than {HangSeconds} s. It is in {file}.");
    }
}
