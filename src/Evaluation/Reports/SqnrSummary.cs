using MASQuant.Formats.Artifacts;

namespace MASQuant.Evaluation.Reports;

/// <summary>The SQNR of a model's layers in a few figures.</summary>
public static class SqnrSummary
{
    /// <summary>A row per modality: medians over all layers, and the layer that fares worst.</summary>
    public static TextTable Table(Manifest manifest)
    {
        var table = new TextTable(1, "SQNR, dB", "lowest", "in layer", "median", "before patches");
        foreach (var modality in manifest.Model.Modalities)
        {
            var layers = manifest.Layers
                .SelectMany(layer => layer.Linears.Where(linear => linear.Sqnr.ContainsKey(modality)).Select(linear => (Name: $"{layer.Index}.{linear.Name}", Sqnr: linear.Sqnr[modality])))
                .ToArray();
            if (layers.Length > 0)
            {
                var lowest = layers.MinBy(layer => layer.Sqnr.After);
                var (before, after) = (Median(layers.Select(l => l.Sqnr.Before)), Median(layers.Select(l => l.Sqnr.After)));
                table.Add(modality, Figures.Fixed(lowest.Sqnr.After, 1), lowest.Name, Figures.Fixed(after, 1), Figures.Fixed(before, 1));
            }
        }

        return table;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
