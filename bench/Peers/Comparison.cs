using System.Diagnostics;
using System.Globalization;

namespace MASQuant.Peers;

/// <summary>Decoders in turns, so that a drifting machine slows all alike; medians, and ratios to the first of the others.</summary>
internal static class Comparison
{
    public const int Rounds = 5;
    private static readonly int[] Prompts = [32, 256, 2048];
    private static readonly int[] Batches = [1, 4, 16];

    /// <summary>As many as the machine has cores.</summary>
    public static int Threads => Environment.ProcessorCount;

    /// <summary>Prints a table in Markdown; one of CSV follows it on standard error.</summary>
    public static void Run(PeerShape shape)
    {
        LlamaPeer.Quiet();
        using var folder = new PeerFolder();
        IPeer Llama(string name, bool eightBits)
        {
            var file = folder.File(name + ".gguf");
            GgufFile.Write(file, shape, eightBits);
            return new LlamaPeer($"llama.cpp {name}", file, Batches[^1]);
        }

        var makers = new Func<IPeer>[]
        {
            () => new OwnPeer(shape, QuantizationScheme.W4A8),
            () => new OwnPeer(shape, QuantizationScheme.W8A8),
            () => new OwnPeer(shape, QuantizationScheme.W4A16),
            () => Llama("Q4_0", eightBits: false),
            () => Llama("Q8_0", eightBits: true),
        };
        var peers = new List<(IPeer Peer, double Load, long Own, long Mapped)>();
        foreach (var make in makers)
        {
            var (own, mapped) = Machine.Memory();
            var start = Stopwatch.GetTimestamp();
            var peer = make();
            peer.Prefill(Prompts[0]);
            var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var (ownNow, mappedNow) = Machine.Memory();
            peers.Add((peer, took, ownNow - own, mappedNow - mapped));
        }

        var lines = new List<(string Name, Action<IPeer> Before, Action<IPeer> Work, double Tokens)>();
        lines.AddRange(Prompts.Select(tokens => ($"prompt of {tokens}, tokens/s", (Action<IPeer>)(_ => { }), (Action<IPeer>)(peer => peer.Prefill(tokens)), (double)tokens)));
        lines.AddRange(Batches.Select(batch => ($"{batch} answers, tokens/s", (Action<IPeer>)(peer => peer.Prefill(256)), (Action<IPeer>)(peer => peer.Decode(batch)), (double)batch)));

        Console.WriteLine($"| | {string.Join(" | ", peers.Select(peer => peer.Peer.Name))} | ours ÷ llama.cpp Q4_0 |");
        Console.WriteLine($"|---|{string.Concat(Enumerable.Repeat("---:|", peers.Count + 1))}");
        foreach (var (name, before, work, tokens) in lines)
        {
            var speeds = Measure([.. peers.Select(peer => peer.Peer)], before, work).Select(seconds => tokens / seconds).ToArray();
            Row(name, [.. speeds.Select(speed => speed.ToString("F1", CultureInfo.InvariantCulture))], speeds[0] / speeds[3]);
        }

        Row("own memory taken, MB", [.. peers.Select(peer => $"{peer.Own >> 20}")], null);
        Row("mapped files, MB", [.. peers.Select(peer => $"{peer.Mapped >> 20}")], null);
        peers.ForEach(peer => peer.Peer.Dispose());
    }

    private static double[] Measure(IPeer[] peers, Action<IPeer> before, Action<IPeer> work)
    {
        var seconds = peers.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round <= Rounds; round++)
        {
            for (var i = 0; i < peers.Length; i++)
            {
                before(peers[i]);
                var start = Stopwatch.GetTimestamp();
                work(peers[i]);
                if (round > 0)
                {
                    seconds[i].Add(Stopwatch.GetElapsedTime(start).TotalSeconds); // The first round warms.
                }
            }
        }

        return [.. seconds.Select(times => times.Order().ElementAt(times.Count / 2))];
    }

    private static void Row(string name, string[] cells, double? ratio)
        => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {string.Join(" | ", cells)} | {(ratio is { } value ? value.ToString("F2", CultureInfo.InvariantCulture) : "")} |"));
}
