using MASQuant.Evaluation.Markup;
using MASQuant.Evaluation.Reports.Charts;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Facts;

namespace MASQuant.Evaluation.Reports;

/// <summary>What the patches approximate: effective ranks and singular values of the residuals, plain and whitened.</summary>
internal static class ResidualSection
{
    /// <summary>Writes the section.</summary>
    public static void Write(MarkupWriter html, Manifest manifest, RunFacts facts)
    {
        html.Element("p", "ΔW = s_m⊙W − Q(s_b⊙W) is what the one stored weight misses for a modality's factor. Whitened by the modality's activations it concentrates in fewer directions, so that a patch of small rank carries more of it. Broken lines: plain; whole lines: whitened.");
        var modalities = facts.Blocks.SelectMany(block => block.Spectra).Select(entry => entry.Modality).Distinct().ToArray();
        SqnrSection.Key(html, modalities);
        Ranks(manifest).WriteHtml(html, "Effective rank as a share of min(N, K), %, mean over blocks");
        using (html.Element("div", ("class", "charts")))
        {
            foreach (var kind in facts.Blocks.SelectMany(block => block.Spectra).GroupBy(entry => entry.Linear))
            {
                var series = modalities.SelectMany(modality =>
                {
                    var spectra = kind.Where(entry => entry.Modality == modality).ToArray();
                    return (ChartSeries[])[
                        new("", ChartStyle.Of(modality), Mean(spectra, entry => entry.Plain)) { Line = ChartLine.Dashed, Marked = false },
                        new(modality.ToLowerInvariant(), ChartStyle.Of(modality), Mean(spectra, entry => entry.Whitened)) { Marked = false },
                    ];
                });
                ChartWriter.Write(html, new Chart(
                    $"Singular values: {kind.Key}", $"Singular values of the residual of {kind.Key} as a share of the largest, geometric mean over blocks.",
                    new ChartAxis("place") { Logarithmic = true }, new ChartAxis("σ / σ₁") { Logarithmic = true, Extent = (0.0001, 1) }, [.. series]));
            }
        }
    }

    private static TextTable Ranks(Manifest manifest)
    {
        var modalities = manifest.Model.Modalities.Where(modality => manifest.Layers.Any(layer => layer.Linears.Any(linear => linear.EffectiveRanks.ContainsKey(modality)))).ToArray();
        var table = new TextTable(1, ["layer", .. modalities.SelectMany(modality => (string[])[$"{modality.ToLowerInvariant()}, plain", $"{modality.ToLowerInvariant()}, whitened", "rank of the patch"])]);
        var linears = manifest.Layers.SelectMany(layer => layer.Linears).ToArray();
        foreach (var kind in linears.GroupBy(linear => linear.Name))
        {
            table.Add([kind.Key, .. modalities.SelectMany(modality => Row([.. kind], modality))]);
        }

        table.Add(["all", .. modalities.SelectMany(modality => Row(linears, modality))]);
        return table;
    }

    private static string[] Row(ManifestLinear[] linears, string modality)
    {
        var known = linears.Where(linear => linear.EffectiveRanks.ContainsKey(modality)).ToArray();
        if (known.Length == 0)
        {
            return ["–", "–", "–"];
        }

        string Mean(Func<ManifestLinear, double> value) => Figures.Percent(known.Average(linear => value(linear) / Math.Min(linear.Outputs, linear.Inputs)));
        return [Mean(linear => linear.EffectiveRanks[modality].Plain), Mean(linear => linear.EffectiveRanks[modality].Whitened), Mean(linear => linear.Ranks.GetValueOrDefault(modality))];
    }

    // Residuals of one kind of layer have one shape, hence the same places.
    private static ChartPoint[] Mean(SpectrumFacts[] spectra, Func<SpectrumFacts, IReadOnlyList<double>> values)
    {
        if (spectra.Length == 0)
        {
            return [];
        }

        var places = SpectrumSampling.Places(spectra[0].Count);
        return [.. places.Select((place, i) => new ChartPoint(place + 1, Math.Exp(spectra.Average(spectrum => Math.Log(values(spectrum)[i] / values(spectrum)[0])))))];
    }
}
