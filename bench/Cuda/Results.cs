using System.Text;

namespace MASQuant.Bench.Cuda;

/// <summary>Medians in microseconds by case: what ran, on which shape, for how many tokens.</summary>
internal sealed class Results
{
    private readonly List<(string Kernel, string Shape, int Tokens, double Microseconds, long PeakBytes)> _rows = [];

    /// <summary>Adds a figure and prints it; with the most device memory that was held, for a whole model.</summary>
    public void Add(string kernel, string shape, int tokens, double microseconds, long peakBytes = 0)
    {
        _rows.Add((kernel, shape, tokens, microseconds, peakBytes));
        Console.WriteLine($"{kernel,-24} {shape,-14} M = {tokens,-6} {microseconds,12:F2} µs{(peakBytes > 0 ? $"   peak {peakBytes >> 20} MiB" : "")}");
    }

    /// <summary>A median; NaN when the case was not measured.</summary>
    public double Find(string kernel, string shape, int tokens)
        => _rows.Where(row => (row.Kernel, row.Shape, row.Tokens) == (kernel, shape, tokens)).Select(row => row.Microseconds).DefaultIfEmpty(double.NaN).First();

    public void Write(string path, string device, string driver)
    {
        var text = new StringBuilder("device,driver_cuda,kernel,shape,tokens,microseconds,peak_mib\n");
        foreach (var row in _rows)
        {
            text.Append(FormattableString.Invariant($"{device},{driver},{row.Kernel},{row.Shape},{row.Tokens},{row.Microseconds:F3},{(row.PeakBytes > 0 ? row.PeakBytes >> 20 : "")}\n"));
        }

        File.WriteAllText(path, text.ToString());
        Console.WriteLine($"Figures in {path}.");
    }
}
