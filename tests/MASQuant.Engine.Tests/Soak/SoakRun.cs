using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using MASQuant.Engine.Tests.Artifacts;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Soak;

/// <summary>Threads that use one model in every way for long. Between rounds the process must hold what it held when it was warm, and every answer is that of its prompt alone.</summary>
internal static class SoakRun
{
    private const int Threads = 4;
    private const int RoundOperations = 200;

    /// <summary>Rounds after which every buffer has met its longest prompt.</summary>
    private const int WarmRounds = 4;

    /// <summary>Runs an hour, or as <c>--minutes</c> and <c>--rounds</c> say; gives the exit code.</summary>
    public static int Run(string[] arguments)
    {
        var rounds = Number("--rounds");
        return Run(Number("--minutes") ?? (rounds is null ? 60 : double.MaxValue), (int)(rounds ?? int.MaxValue));

        double? Number(string name) => Array.IndexOf(arguments, name) is >= 0 and var i ? double.Parse(arguments[i + 1], CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Runs rounds until <paramref name="minutes"/> are over or <paramref name="rounds"/> done, and prints what the process holds after each.</summary>
    private static int Run(double minutes, int rounds)
    {
        ThreadPool.SetMaxThreads(Math.Max(Threads, Environment.ProcessorCount), Environment.ProcessorCount); // Each keeps working memory of its own.
        var folder = Directory.CreateTempSubdirectory("masquant-soak-").FullName;
        try
        {
            var artifact = RandomArtifact.Write(folder, RepositoryFiles.OmniTiny, QuantizationScheme.W4A8);
            var broken = Path.Combine(folder, "broken");
            File.WriteAllBytes(broken, File.ReadAllBytes(artifact).AsSpan(0, 1 << 20));
            using var alone = SoakModel.Load(artifact);
            using var model = new SoakModel(artifact);
            var operations = new SoakOperations(model, new SoakPrompts(alone), artifact, broken);
            return Rounds(operations, model, minutes, rounds);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int Rounds(SoakOperations operations, SoakModel model, double minutes, int rounds)
    {
        var clock = Stopwatch.StartNew();
        var bound = new SoakBound();
        Print("round", "operations", "resident MB", "managed MB", "descriptors", "mappings");
        for (var round = 0; round < rounds && clock.Elapsed.TotalMinutes < minutes; round++)
        {
            Round(operations, round * RoundOperations);
            model.Reload(); // A model keeps working memory for as many threads as it has met at once.
            var state = ProcessState.Now();
            Print(round + 1, (round + 1) * RoundOperations, state.Resident >> 20, (state.Managed / 1048576.0).ToString("F2", CultureInfo.InvariantCulture), state.Descriptors.Count, state.Mappings.Count);
            bound.Add(state, isWarm: round >= WarmRounds);
        }

        Console.WriteLine(string.Join(", ", operations.Counts.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => $"{count.Key} {count.Value}")));
        Console.WriteLine(bound.Verdict);
        return bound.Holds ? 0 : 1;
    }

    private static void Round(SoakOperations operations, int first)
    {
        var next = first - 1;
        ExceptionDispatchInfo? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            try
            {
                int number;
                while (failure is null && (number = Interlocked.Increment(ref next)) < first + RoundOperations)
                {
                    operations.Run(number);
                }
            }
            catch (Exception error)
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        failure?.Throw();
    }

    private static void Print(params object[] columns)
    {
        Console.WriteLine(string.Join(" | ", columns.Select(column => string.Create(CultureInfo.InvariantCulture, $"{column,11}"))));
        Console.Out.Flush();
    }
}
