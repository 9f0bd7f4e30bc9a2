using MASQuant.Platform;

namespace MASQuant.Cli.Tests.Faults;

/// <summary>The kinds of failures.</summary>
internal static class Fault
{
    /// <summary>The kinds by name.</summary>
    public static IReadOnlyDictionary<string, Func<int, IFault>> Kinds { get; } = new Dictionary<string, Func<int, IFault>>
    {
        ["file"] = first => new OfFiles(new FailingFiles(first, forGood: false)),
        ["disk"] = first => new OfFiles(new FailingFiles(first, forGood: true)),
        ["memory"] = first => new OfMemory(new FailingMemory(first)),
        ["clock-back"] = first => new OfClock(new JumpingClock(first, TimeSpan.FromDays(-40_000))),
        ["clock-ahead"] = first => new OfClock(new JumpingClock(first, TimeSpan.FromDays(40_000))),
    };

    private sealed class OfFiles(FailingFiles files) : IFault
    {
        public int Calls => files.Calls;

        public string Failed => files.Failed;

        public T During<T>(Func<T> work)
        {
            FileSystem.Use(files);
            try
            {
                return work();
            }
            finally
            {
                FileSystem.Use(null);
            }
        }
    }

    private sealed class OfMemory(FailingMemory memory) : IFault
    {
        public int Calls => memory.Arrays;

        public string Failed => "memory";

        public T During<T>(Func<T> work)
        {
            // A thread of its own has no working memory from a run before.
            var result = default(T);
            var thread = new Thread(() =>
            {
                Memory.Watch(memory.Taking);
                result = work();
            });
            thread.Start();
            thread.Join();
            return result!;
        }
    }

    private sealed class OfClock(JumpingClock clock) : IFault
    {
        public int Calls => clock.Readings;

        public string Failed => "clock";

        public T During<T>(Func<T> work)
        {
            Clock.Use(clock);
            try
            {
                return work();
            }
            finally
            {
                Clock.Use(null);
            }
        }
    }
}
