using System.Diagnostics;
using System.Text;
using MASQuant.Formats.Files;

namespace MASQuant.Bench.Cuda;

/// <summary>What ran, on which shape, for how many tokens (of a decode step: sequences).</summary>
internal readonly record struct BenchCase(string Kernel, string Shape, int Tokens);

/// <summary>A figure: the median, and for a whole model the most device memory that was held.</summary>
internal readonly record struct Figure(double Microseconds, long PeakBytes);

/// <summary>The figures of the cases that are known: no other is added or asked for, so that a wrong name does not pass for a case that was not measured.</summary>
internal sealed class Results
{
    /// <summary>The first line of the CSV.</summary>
    public const string Columns = "device,driver,kernel,shape,tokens,microseconds,peak_mib";

    private readonly TextWriter _log;
    private readonly HashSet<BenchCase> _known;
    private readonly Dictionary<BenchCase, Figure> _figures = [];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private int _done;

    /// <summary>Nothing measured yet.</summary>
    /// <param name="planned">The cases of the run.</param>
    /// <param name="known">These, and what may be asked for besides.</param>
    /// <param name="log">Is told of every figure.</param>
    public Results(IReadOnlyCollection<BenchCase> planned, IEnumerable<BenchCase> known, TextWriter log) => (Planned, _known, _log) = (planned.Count, [.. known], log);

    /// <summary>The cases measured, in their order.</summary>
    public IReadOnlyDictionary<BenchCase, Figure> Figures => _figures;

    /// <summary>How many cases there are, measured or not.</summary>
    public int Planned { get; }

    /// <summary>Adds a figure and prints it, with how far the run has come.</summary>
    /// <exception cref="ArgumentException">The case is not known, or was added before.</exception>
    public void Add(BenchCase done, double microseconds, long peakBytes = 0)
    {
        Require(done);
        _figures.Add(done, new Figure(microseconds, peakBytes));
        Print(done, FormattableString.Invariant($"{microseconds,12:F2} µs{(peakBytes > 0 ? $"   peak {peakBytes >> 20} MiB" : "")}"));
    }

    /// <summary>Says why a case has no figure.</summary>
    public void Skip(BenchCase done, string reason)
    {
        Require(done);
        Print(done, reason);
    }

    /// <summary>A median in microseconds; NaN when the case was not measured.</summary>
    /// <exception cref="ArgumentException">The case is not known.</exception>
    public double Find(string kernel, string shape, int tokens)
    {
        var wanted = new BenchCase(kernel, shape, tokens);
        Require(wanted);
        return _figures.TryGetValue(wanted, out var figure) ? figure.Microseconds : double.NaN;
    }

    /// <summary>Writes the figures as CSV.</summary>
    public void Write(string path, IBenchDevice device)
    {
        var text = new StringBuilder($"{Columns}\n");
        foreach (var (done, figure) in _figures)
        {
            text.Append(FormattableString.Invariant($"{device.ProductName},{device.Driver},{done.Kernel},{done.Shape},{done.Tokens},{figure.Microseconds:F3},{(figure.PeakBytes > 0 ? figure.PeakBytes >> 20 : "")}\n"));
        }

        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString())));
        _log.WriteLine($"{_figures.Count} figures in {path}.");
    }

    private void Require(BenchCase wanted)
    {
        if (!_known.Contains(wanted))
        {
            throw new ArgumentException($"No case is called {wanted}.", nameof(wanted));
        }
    }

    private void Print(BenchCase done, string text)
    {
        _done++;
        // Foretold from the share that is done, once that says something.
        var (passed, all) = (_watch.Elapsed, _watch.Elapsed * Planned / _done);
        var foretold = _done * 20 < Planned ? "" : FormattableString.Invariant($@" of about {all:h\:mm\:ss}");
        _log.WriteLine(FormattableString.Invariant($@"[{_done}/{Planned}, {passed:h\:mm\:ss}{foretold}] {done.Kernel,-24} {done.Shape,-12} M = {done.Tokens,-6} {text}"));
    }
}
