using System.Globalization;
using MASQuant.Formats.Artifacts;

namespace MASQuant.Evaluation.Budgets;

/// <summary>Which option would bring a model nearer to its budget.</summary>
internal static class BudgetAdvice
{
    private const string Tune = "'masquant tune' looks for the smallest artifact that keeps the budgets.";

    // A patch of no more gain than this has met what it cannot carry.
    private const double SmallGain = 1;

    /// <summary>For a layer whose output is too noisy.</summary>
    public static string ForSqnr(Manifest manifest, Modality modality, ModelSqnr weakest)
    {
        var options = new List<string>();
        var linear = weakest.Linear;
        var sqnr = linear.Sqnr[modality.ToString()];
        var rank = linear.Ranks.GetValueOrDefault(modality.ToString());
        var leaf = linear.Name[(linear.Name.LastIndexOf('.') + 1)..];
        if (modality != Modality.Text && rank == 0)
        {
            options.Add(linear.Group == "Down" && manifest.Options.GetValueOrDefault("CompensateDown") == "false"
                ? "CompensateDown=\"true\""
                : string.Create(CultureInfo.InvariantCulture, $"a patch there, LayerRanks=\"{weakest.Layer}.{leaf}.{modality}:16\""));
        }
        else if (modality != Modality.Text && sqnr.After - sqnr.Before >= SmallGain)
        {
            options.Add(string.Create(CultureInfo.InvariantCulture, $"a larger patch there, LayerRanks=\"{weakest.Layer}.{leaf}.{modality}:{2 * rank}\""));
        }

        if (linear.Scheme != QuantizationScheme.W8A8.ToString())
        {
            options.Add(string.Create(CultureInfo.InvariantCulture, $"8 bits there, LayerSchemes=\"{weakest.Layer}.{linear.Group}:W8A8\""));
        }

        if (manifest.Options.GetValueOrDefault("WeightQuantizer") == "Rtn")
        {
            options.Add("WeightQuantizer=\"Gptq\"");
        }

        return options.Count > 0
            ? $"What helps: {string.Join("; ", options)}. {Tune}"
            : $"More calibration samples with {modality.ToString().ToLowerInvariant()} may help. {Tune}";
    }

    /// <summary>For an artifact that is too large.</summary>
    public static string ForBytes(Manifest manifest, long excess)
    {
        var linears = manifest.Layers.SelectMany(layer => layer.Linears).ToArray();
        var patches = linears.Sum(linear => linear.Ranks.Values.Sum(rank => (long)rank * (linear.Outputs + linear.Inputs) * sizeof(ushort)));
        var eightBit = linears.Where(linear => linear.Scheme == QuantizationScheme.W8A8.ToString()).Sum(linear => (long)linear.Outputs * linear.Inputs / 2);
        var rest = manifest.ArtifactBytes - linears.Sum(linear => linear.Bytes);
        var options = new List<string>();
        if (patches > excess && int.TryParse(manifest.Options.GetValueOrDefault("Rank"), NumberStyles.None, CultureInfo.InvariantCulture, out var rank))
        {
            options.Add(string.Create(CultureInfo.InvariantCulture, $"Rank=\"{(int)(rank * (1 - ((double)excess / patches)))}\""));
        }

        if (eightBit > excess)
        {
            options.Add("4-bit weights, Scheme=\"W4A8\"");
        }

        if (manifest.Options.GetValueOrDefault("Head") == "Full" && (long)manifest.Model.VocabularySize * manifest.Model.HiddenSize > excess)
        {
            options.Add("8 bits for embedding and head, Head=\"W8\"");
        }

        var parts = string.Create(CultureInfo.InvariantCulture, $"Of it, patches take {patches:#,0} bytes and what is not quantized {rest:#,0}.");
        return options.Count > 0 ? $"{parts} What helps: {string.Join("; ", options)}. {Tune}" : $"{parts} No option saves that much: choose a smaller model or a larger budget.";
    }

    /// <summary>For answers that differ too much.</summary>
    public static string ForLoss(Manifest manifest)
    {
        var weakest = Enum.GetValues<Modality>().Select(modality => ModelSqnr.Of(manifest, modality)).OfType<ModelSqnr>().MinBy(sqnr => sqnr.Decibels);
        var place = weakest is null ? "" : string.Create(CultureInfo.InvariantCulture, $"The noisiest layer is {weakest.Name} ({weakest.Decibels:F1} dB). ");
        return manifest.Scheme == QuantizationScheme.W8A8.ToString()
            ? $"{place}What helps: a larger Rank, or more calibration samples. {Tune}"
            : $"{place}What helps: Scheme=\"W8A8\", or 8 bits in the noisiest layers by LayerSchemes. {Tune}";
    }
}
