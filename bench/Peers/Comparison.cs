using System.Diagnostics;
using System.Globalization;

namespace MASQuant.Peers;

/// <summary>Decoders in turns, so that a drifting machine slows all alike; medians, and ratios to the first of the others.</summary>
internal static class Comparison
{
    public const int Rounds = 5;
    public const int LongRounds = 3;
    private const int LongPrompt = 1024;

    // ms: threads of another's product spin for a while before they sleep.
    private const int Pause = 200;

    // Keys and values of 16 sequences, logits, and what is made on the way.
    private const long Reserve = 4L << 30;

    private static readonly int[] Prompts = [32, 256, 2048];
    public static readonly int[] Batches = [1, 4, 16];

    /// <summary>As many as the machine has cores.</summary>
    public static int Threads => Environment.ProcessorCount;

    /// <summary>Prints a table in Markdown, and writes the same figures to <paramref name="csv"/>, a line each.</summary>
    public static void Run(PeerShape shape, IReadOnlyList<PeerKind> kinds, TextWriter csv)
    {
        LlamaPeer.Quiet();
        using var folder = new PeerFolder();
        var peers = new List<(IPeer Peer, double Load, long Own, long Mapped)>();
        foreach (var kind in kinds)
        {
            if (kind.BytesOf(shape) + Reserve > Machine.Available())
            {
                Console.WriteLine($"{kind.Name} is left out: memory ends. Run it with --peers W4A8,Q4_0,{kind.Name}.");
                continue;
            }

            var (own, mapped) = Machine.Memory();
            var peer = kind.Make(shape, folder);
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            var start = Stopwatch.GetTimestamp();
            peer.Prefill(Prompts[0]);
            var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var (ownNow, mappedNow) = Machine.Memory();
            peers.Add((peer, took, ownNow - own, mappedNow - mapped));
        }

        var lines = new List<(string Name, Action<IPeer> Before, Action<IPeer> Work, double Tokens, bool IsLong)>();
        lines.AddRange(Prompts.Select(tokens => ($"prompt of {tokens}, tokens/s", (Action<IPeer>)(_ => { }), (Action<IPeer>)(peer => peer.Prefill(tokens)), (double)tokens, tokens > LongPrompt)));
        lines.AddRange(Batches.Select(batch => ($"{batch} answers, tokens/s", (Action<IPeer>)(peer => peer.Prefill(256)), (Action<IPeer>)(peer => peer.Decode(batch)), (double)batch, false)));

        var second = peers.FindIndex(peer => peer.Peer is LlamaPeer);
        Console.WriteLine($"| | {string.Join(" | ", peers.Select(peer => peer.Peer.Name))} | first ÷ {(second < 0 ? "none" : peers[second].Peer.Name)} |");
        Console.WriteLine($"|---|{string.Concat(Enumerable.Repeat("---:|", peers.Count + 1))}");
        csv.WriteLine("what,peer,value");
        foreach (var (name, before, work, tokens, isLong) in lines)
        {
            var speeds = Measure([.. peers.Select(peer => peer.Peer)], before, work, isLong).Select(seconds => tokens / seconds).ToArray();
            Row(name, speeds, second < 0 ? null : speeds[0] / speeds[second]);
        }

        Row("first prompt of 32, s", [.. peers.Select(peer => peer.Load)], null);
        Row("own memory taken, MB", [.. peers.Select(peer => (double)(peer.Own >> 20))], null);
        Row("mapped files, MB", [.. peers.Select(peer => (double)(peer.Mapped >> 20))], null);
        peers.ForEach(peer => peer.Peer.Dispose());

        void Row(string name, double[] values, double? ratio)
        {
            var cells = string.Join(" | ", values.Select(value => value.ToString("F1", CultureInfo.InvariantCulture)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {cells} | {ratio:F2} |"));
            for (var i = 0; i < values.Length; i++)
            {
                csv.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\"{name}\",\"{peers[i].Peer.Name}\",{values[i]:R}"));
            }
        }
    }

    private static double[] Measure(IPeer[] peers, Action<IPeer> before, Action<IPeer> work, bool isLong)
    {
        var seconds = peers.Select(_ => new List<double>()).ToArray();
        Array.ForEach(peers, before);

        // The first round warms; what a long prompt needs is warm by then.
        for (var round = isLong ? 1 : 0; round <= (isLong ? LongRounds : Rounds); round++)
        {
            for (var i = 0; i < peers.Length; i++)
            {
                Thread.Sleep(Pause);
                var start = Stopwatch.GetTimestamp();
                work(peers[i]);
                if (round > 0)
                {
                    seconds[i].Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                }
            }
        }

        return [.. seconds.Select(times => times.Order().ElementAt(times.Count / 2))];
    }

}
