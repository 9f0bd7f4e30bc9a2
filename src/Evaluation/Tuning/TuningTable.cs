using MASQuant.Evaluation.Reports;

namespace MASQuant.Evaluation.Tuning;

/// <summary>The settings between which a tuning chose: a row per setting, the smallest first.</summary>
public static class TuningTable
{
    // Settings that were predicted only, for the shape of the front.
    private const int PredictedRows = 6;

    /// <summary>What the table's words mean.</summary>
    public const string Note = "SQNR: the lowest over all quantized layers, dB, predicted → measured on the calibration set. A letter: quantized for real. *: chosen.";

    /// <summary>The table.</summary>
    public static TextTable Of(TuningJob job, TuningSearch search)
    {
        var modalities = search.Model.Config.Modalities;
        var loss = search.Measured.Exists(point => point.MeasuredLoss is not null);
        var table = new TextTable(1, ["point", "kB", "8-bit weights %", "patches", .. job.Swept.Select(option => option.Name), .. modalities.Select(modality => $"SQNR {modality.ToString().ToLowerInvariant()}"), .. loss ? ["KL"] : Array.Empty<string>()]);
        foreach (var point in Rows(search))
        {
            table.Add(
            [
                Label(search, point),
                point.Measured is { } measured ? $"{Kilobytes(point.Bytes)} → {Kilobytes(measured.ArtifactBytes)}" : Kilobytes(point.Bytes),
                Figures.Percent(point.Setting.All.Average(group => group.Scheme.WeightBits == 8 ? 1 : 0), 0),
                Ranks(point, modalities),
                .. job.SweptValues(point),
                .. modalities.Select(modality => Sqnr(point, modality)),
                .. loss ? [Loss(point)] : Array.Empty<string>(),
            ]);
        }

        return table;
    }

    /// <summary>The rows: everything quantized, and settings of the last walk between.</summary>
    public static IEnumerable<TuningPoint> Rows(TuningSearch search)
    {
        var count = Math.Min(PredictedRows, search.Path.Count);
        var predicted = Enumerable.Range(0, count).Select(i => search.Path[i * (search.Path.Count - 1) / Math.Max(1, count - 1)])
            .Where(point => !search.Measured.Exists(measured => measured.Key.Equals(point.Key)));
        return search.Measured.Concat(predicted.Distinct()).OrderBy(point => point.Measured?.ArtifactBytes ?? point.Bytes);
    }

    /// <summary>The letter of a measured point, in the order of measurement.</summary>
    public static string Label(TuningSearch search, TuningPoint point)
    {
        var index = search.Measured.IndexOf(point);
        return index < 0 ? "" : $"{(char)('A' + (index % 26))}{(point == search.Chosen ? " *" : "")}";
    }

    private static string Loss(TuningPoint point)
        => point.MeasuredLoss is { } measured ? $"{Figures.Fixed(point.Loss, 5)} → {Figures.Fixed(measured, 5)}" : Figures.Fixed(point.Loss, 5);

    private static string Kilobytes(long bytes) => Figures.Fixed(bytes / 1000.0, 0);

    private static string Ranks(TuningPoint point, IReadOnlyList<Modality> modalities)
    {
        var ranks = modalities.Where(modality => modality != Modality.Text).SelectMany(modality => point.Setting.All.Select(group => group.Rank(modality))).DefaultIfEmpty(0).ToArray();
        return ranks.Max() == 0 ? "none" : FormattableString.Invariant($"rank {ranks.Min()}…{ranks.Max()}");
    }

    private static string Sqnr(TuningPoint point, Modality modality)
        => point.MeasuredSqnr(modality) is { } measured
            ? $"{Figures.Fixed(point.Sqnr[(int)modality], 1)} → {Figures.Fixed(measured.Decibels, 1)}"
            : Figures.Fixed(point.Sqnr[(int)modality], 1);
}
