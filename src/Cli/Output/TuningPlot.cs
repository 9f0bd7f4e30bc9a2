using MASQuant.Evaluation.Tuning;

namespace MASQuant.Cli.Output;

/// <summary>A small plot for terminals: bytes to the right, SQNR upwards; letters are modalities as measured, dots are predictions.</summary>
internal static class TuningPlot
{
    private const int Columns = 56;
    private const int Rows = 12;

    /// <summary>Writes the plot.</summary>
    public static void Write(TextWriter writer, IReadOnlyList<Modality> modalities, TuningSearch search)
    {
        var marks = search.Path.SelectMany(point => modalities.Select(modality => (point.Bytes, Decibels: point.Sqnr[(int)modality], Mark: '·')))
            .Concat(search.Measured.SelectMany(point => modalities.Where(modality => point.MeasuredSqnr(modality) is not null)
                .Select(modality => (Bytes: point.Measured!.ArtifactBytes, point.MeasuredSqnr(modality)!.Value.Decibels, Mark: modality.ToString()[0])))).ToArray();
        var (left, right) = (marks.Min(mark => mark.Bytes), marks.Max(mark => mark.Bytes));
        var (low, high) = (Math.Floor(marks.Min(mark => mark.Decibels)), Math.Ceiling(marks.Max(mark => mark.Decibels)));
        var grid = Enumerable.Range(0, Rows).Select(_ => new string(' ', Columns).ToCharArray()).ToArray();
        foreach (var (bytes, decibels, mark) in marks)
        {
            var column = right > left ? (int)((bytes - left) * (Columns - 1) / (right - left)) : 0;
            var row = high > low ? (int)Math.Round((high - decibels) / (high - low) * (Rows - 1)) : 0;
            grid[row][column] = mark;
        }

        writer.WriteLine($"SQNR dB ({string.Join(", ", modalities.Select(modality => $"{modality.ToString()[0]} {modality.ToString().ToLowerInvariant()}"))}; · predicted)");
        for (var row = 0; row < Rows; row++)
        {
            var value = high - ((high - low) * row / (Rows - 1));
            writer.WriteLine($"{Figures.Fixed(value, 1),6} │{new string(grid[row]).TrimEnd()}");
        }

        var (first, last) = (Figures.Bytes(left), Figures.Bytes(right));
        writer.WriteLine($"       └{new string('─', Columns)}");
        writer.WriteLine($"        {first}{last.PadLeft(Columns - first.Length)}");
    }
}
