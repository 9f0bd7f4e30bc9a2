using System.Diagnostics;
using System.Globalization;
using MASQuant.Engine.Tensors;

namespace MASQuant.Bench.Prefill;

/// <summary>What the parts of a pass take, beside the least that the machine can do them in. A part's time is the median of the rounds.</summary>
internal sealed class PartTimes
{
    private readonly Dictionary<string, Part> _parts = [];
    private readonly List<string> _order = [];
    private int _round;

    /// <summary>Begins a pass; what was before does not count when it is the first.</summary>
    public void BeginRound() => _round++;

    /// <summary>Does a part's work, or some of it.</summary>
    /// <param name="name">The part.</param>
    /// <param name="floor">What the work cannot do without.</param>
    /// <param name="work">Does it.</param>
    /// <param name="times">As how often it counts: a part of a model of which only some blocks are run.</param>
    public void Time(string name, Floor floor, Action work, double times = 1)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        Add(name, floor, Stopwatch.GetElapsedTime(start).TotalSeconds, times);
    }

    /// <summary>Adds time that was taken otherwise.</summary>
    public void Add(string name, Floor floor, double seconds, double times = 1)
    {
        if (!_parts.TryGetValue(name, out var part))
        {
            _parts[name] = part = new Part();
            _order.Add(name);
        }

        part.Add(_round, seconds * times, floor.Times(times));
    }

    /// <summary>Seconds of all parts.</summary>
    public double Total => _parts.Values.Sum(part => part.Seconds);

    /// <summary>Prints a Markdown table, parts above a twentieth beside their floors.</summary>
    public void Print(string title, Roof roof)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{title}: {1e3 * Total:F1} ms\n"));
        Console.WriteLine("| part | ms | share | floor, ms | ratio | bound by |\n|---|---:|---:|---:|---:|---|");
        foreach (var name in _order)
        {
            var part = _parts[name];
            var (share, floor) = (part.Seconds / Total, roof.Of(part.Floor));
            var beside = share > 0.05 ? string.Create(CultureInfo.InvariantCulture, $"{1e3 * floor.Seconds:F2} | {part.Seconds / floor.Seconds:F1} | {floor.By}") : " | | ";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {1e3 * part.Seconds:F2} | {share:P1} | {beside} |"));
        }
    }

    private sealed class Part
    {
        private readonly Dictionary<int, double> _rounds = [];
        private Floor _floor;
        private int _floorRound;

        public Floor Floor => _floor;

        // The first round warms up.
        public double Seconds
        {
            get
            {
                double[] sorted = [.. _rounds.Where(round => round.Key > 1 || _rounds.Count == 1).Select(round => round.Value).Order()];
                return sorted[sorted.Length / 2];
            }
        }

        public void Add(int round, double seconds, Floor floor)
        {
            _rounds[round] = _rounds.GetValueOrDefault(round) + seconds;
            _floor = _floorRound == round ? _floor.Plus(floor) : floor;
            _floorRound = round;
        }
    }
}

/// <summary>The least that work takes of a machine.</summary>
/// <param name="Bytes">Read or written in memory, or in the last cache.</param>
/// <param name="Flops">FP32 operations, a multiply-add being two.</param>
/// <param name="IntegerOperations">Of 8-bit products.</param>
internal readonly record struct Floor(double Bytes = 0, double Flops = 0, double IntegerOperations = 0)
{
    public Floor Plus(Floor other) => new(Bytes + other.Bytes, Flops + other.Flops, IntegerOperations + other.IntegerOperations);

    public Floor Times(double times) => new(Bytes * times, Flops * times, IntegerOperations * times);

    /// <summary>Some matrices passed over.</summary>
    public static Floor Passes(params ReadOnlySpan<Matrix> matrices)
    {
        var values = 0L;
        foreach (var matrix in matrices)
        {
            values += (long)matrix.Rows * matrix.Columns;
        }

        return new(Bytes: sizeof(float) * values);
    }
}

/// <summary>What this machine does at best, measured.</summary>
/// <param name="BytesPerSecond">A streaming read.</param>
/// <param name="FlopsPerSecond">Fused multiply-adds on registers; a 512-bit <c>vpdpbusd</c> does four times as many integer operations at the same rate.</param>
internal sealed record Roof(double BytesPerSecond, double FlopsPerSecond)
{
    private const long ReadBytes = 512L << 20;

    public static unsafe Roof Measure()
    {
        var data = new AlignedBuffer<byte>(ReadBytes);
        new Span<byte>(data.Pointer, (int)ReadBytes).Clear();
        double read = double.MaxValue, multiply = double.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            read = Math.Min(read, Seconds(() => Roofs.Read(data.Pointer, ReadBytes)));
            multiply = Math.Min(multiply, Seconds(Roofs.MultiplyAdd));
        }

        GC.KeepAlive(data);
        return new(ReadBytes / read, Roofs.MultiplyAddOperations * Workers.Count / multiply);
    }

    /// <summary>Seconds of the least that work takes, and which of its sides takes longest.</summary>
    public (double Seconds, string By) Of(Floor floor)
    {
        var (bytes, flops, integers) = (floor.Bytes / BytesPerSecond, floor.Flops / FlopsPerSecond, floor.IntegerOperations / (4 * FlopsPerSecond));
        var most = Math.Max(bytes, Math.Max(flops, integers));
        return (most, most == bytes ? "bytes" : most == flops ? "FP32 products" : "8-bit products");
    }

    private static double Seconds(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
