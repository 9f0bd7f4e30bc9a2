using System.Text;

namespace MASQuant.Bench.Cuda;

/// <summary>Medians in microseconds by case: what ran, on which shape, for how many tokens.</summary>
internal sealed class Results
{
    private readonly List<(string Kernel, string Shape, int Tokens, double Microseconds)> _rows = [];

    public void Add(string kernel, string shape, int tokens, double microseconds)
    {
        _rows.Add((kernel, shape, tokens, microseconds));
        Console.WriteLine($"{kernel,-24} {shape,-14} M = {tokens,-6} {microseconds,12:F2} µs");
    }

    /// <summary>A median; NaN when the case was not measured.</summary>
    public double Find(string kernel, string shape, int tokens)
        => _rows.Where(row => (row.Kernel, row.Shape, row.Tokens) == (kernel, shape, tokens)).Select(row => row.Microseconds).DefaultIfEmpty(double.NaN).First();

    public void Write(string path, string device, string driver)
    {
        var text = new StringBuilder("device,driver_cuda,kernel,shape,tokens,microseconds\n");
        foreach (var row in _rows)
        {
            text.Append(FormattableString.Invariant($"{device},{driver},{row.Kernel},{row.Shape},{row.Tokens},{row.Microseconds:F3}\n"));
        }

        File.WriteAllText(path, text.ToString());
        Console.WriteLine($"Figures in {path}.");
    }
}
