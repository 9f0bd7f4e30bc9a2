using System.Globalization;
using MASQuant.Diagnostics;

namespace MASQuant.Quantization.Options;

/// <summary>Every option once: item metadata, command line, documentation and manifest all read this table.</summary>
public static class OptionTable
{
    private const string Automatic = "auto";

    /// <summary>The options, in the order in which documentation lists them. <c>Method</c> comes first since it presets others.</summary>
    public static IReadOnlyList<QuantizationOption> All { get; } =
    [
        new("Method", string.Join(", ", QuantizationMethod.Names), "A named preset of the options below; what is given beside it wins.",
            (o, text) => QuantizationMethod.TryApply(text, o), QuantizationMethod.NameOf),
        new("Scheme", string.Join(", ", QuantizationScheme.All), "Bits of weights and activations.",
            (o, text) => QuantizationScheme.TryParse(text, out var scheme) ? o with { Scheme = scheme } : null, o => o.Scheme.ToString()),
        Choice("Effort", "How much time a run may take: fast learns nothing, uses an eighth of the calibration set and leaves out what only reports show; best learns, and fits weights and patches to each other.", o => o.Effort, (o, v) => o with { Effort = v }),
        Choice("FirstBlock", "The scheme of the first decoder block, whose weights carry most of the error: that of all, or 8 bits.", o => o.FirstBlock, (o, v) => o with { FirstBlock = v }),
        new("LayerSchemes", LayerSchemes.Form, "Schemes of single blocks or input groups, in place of Scheme and FirstBlock.",
            (o, text) => LayerSchemes.TryParse(text, out var schemes, out _) ? o with { LayerSchemes = schemes } : null, o => o.LayerSchemes.ToString())
        { Problem = text => LayerSchemes.TryParse(text, out _, out var problem) ? "" : problem },
        Choice("Head", "What is stored of embedding and head: the checkpoint's values, or 8 bits with one scale a row.", o => o.Head, (o, v) => o with { Head = v }),
        Choice("Towers", "What is stored of the vision and audio towers' linear layers: the checkpoint's values, or 8 bits with one scale a row.", o => o.Towers, (o, v) => o with { Towers = v }),
        Choice("GuessHead", "What is stored of the head that guesses tokens ahead (multi-token prediction, mtp.*), which changes an answer's speed alone: nothing, or its linear layers at 8 bits and a copy of the model's head at 4.", o => o.GuessHead, (o, v) => o with { GuessHead = v }),
        Choice("Smoothing", "Which factors smooth the activations: none, one for all modalities, or one per modality.", o => o.Smoothing, (o, v) => o with { Smoothing = v }),
        Number("MigrationStrength", 0, 1, "SmoothQuant's α: how much of the activations' range moves into the weights.", o => o.MigrationStrength, (o, v) => o with { MigrationStrength = v }),
        OptionalInteger("Epochs", "Passes over the calibration set that learn the factors; 0 keeps the initial values, auto is 1 for activations of fewer than 6 bits or Effort=Best, else 0.", 100, o => o.GivenEpochs, (o, v) => o with { GivenEpochs = v }),
        Number("LearningRate", 1e-6, 1, "The optimizer's step on the logarithm of the factors.", o => o.LearningRate, (o, v) => o with { LearningRate = v }),
        Choice("Rotation", "Which layers' inputs are rotated by Hadamard matrices once they are smoothed: none, down_proj's, or all.", o => o.Rotation, (o, v) => o with { Rotation = v }),
        Integer("DeviatingChannels", -1, 65536, "How many channels of a modality's factor may leave the base modality's; −1 frees all, as the paper does.", o => o.DeviatingChannels, (o, v) => o with { DeviatingChannels = v }),
        Choice("WeightQuantizer", "How codes are chosen: round to nearest, or with error feedback.", o => o.WeightQuantizer, (o, v) => o with { WeightQuantizer = v }),
        new("GroupSize", "0, 128", "Inputs that share a second-level scale, a small integer on top of the output's scale; for 4-bit weights with quantized activations.",
            (o, text) => text is "0" or "128" ? o with { GroupSize = int.Parse(text, CultureInfo.InvariantCulture) } : null,
            o => o.GroupSize.ToString(CultureInfo.InvariantCulture)),
        Choice("Clipping", "How far scales of weights shrink below the largest value: not at all, by the rounding error, or by the output's error after feedback.", o => o.Clipping, (o, v) => o with { Clipping = v }),
        Flag("ActivationClipping", "Whether the range of a token's codes may end below its largest value, by a share for each input group and modality.", o => o.ActivationClipping, (o, v) => o with { ActivationClipping = v }),
        Choice("Compensation", "What the low-rank patches approximate: nothing, the weight residual, or the output residual.", o => o.Compensation, (o, v) => o with { Compensation = v }),
        new("Rank", "0…4096", "The rank of each patch, unless RankRatio is given.",
            (o, text) => TryInteger(text, 0, 4096, out var rank) ? o with { Rank = rank } : null,
            o => o.Rank?.ToString(CultureInfo.InvariantCulture) ?? ""),
        Number("RankRatio", 0, 1, "The rank as a share of min(N, K); replaces Rank.", o => o.RankRatio, (o, v) => o with { RankRatio = v, Rank = null }),
        new("PatchBytes", "empty, or 0…1099511627776", "The most bytes of all patches together; ranks are then chosen by what they bring. Replaces Rank and RankRatio.",
            (o, text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes <= 1L << 40 ? o with { PatchBytes = bytes } : null,
            o => o.PatchBytes?.ToString(CultureInfo.InvariantCulture) ?? ""),
        new("LayerRanks", LayerRanks.Form, "Ranks of single patches, in place of Rank, RankRatio and PatchBytes.",
            (o, text) => LayerRanks.TryParse(text, out var ranks, out _) ? o with { LayerRanks = ranks } : null, o => o.LayerRanks.ToString())
        { Problem = text => LayerRanks.TryParse(text, out _, out var problem) ? "" : problem },
        OptionalInteger("Alternations", "How often the stored weight is fitted to the true outputs, given the patches, and the patches again to it; a round that costs text is dropped. auto is 1 for Effort=Best, else 0.", 8, o => o.GivenAlternations, (o, v) => o with { GivenAlternations = v }),
        Flag("CompensateDown", "Whether down_proj is smoothed and patched; the paper leaves it out.", o => o.CompensateDown, (o, v) => o with { CompensateDown = v }),
        new("ModalityWeights", "auto, or three numbers ≥ 0: text,vision,audio", "λ of each modality in the learning's loss and in the weight quantizer; auto takes each block's from gradients.",
            (o, text) => TryWeights(text, out var weights) ? o with { ModalityWeights = weights } : null,
            o => o.ModalityWeights.Count == 0 ? Automatic : string.Join(",", o.ModalityWeights.Select(w => w.ToString("R", CultureInfo.InvariantCulture)))),
        OptionalCount("MinPixels", "The fewest pixels that the calibration set's images are resized to; empty: the checkpoint's.", o => o.MinPixels, (o, v) => o with { MinPixels = v }),
        OptionalCount("MaxPixels", "The most pixels that the calibration set's images and frames are resized to; empty: the checkpoint's, up to 1003520.", o => o.MaxPixels, (o, v) => o with { MaxPixels = v }),
        new("MaxFramesPerSecond", "empty, or 0.001…1000", "The most frames of a second that are taken of the calibration set's videos, at least 4 and at most 768 of each; empty: all.",
            (o, text) => TryNumber(text, 0.001, 1000, out var rate) ? o with { MaxFramesPerSecond = rate } : null,
            o => o.MaxFramesPerSecond?.ToString("R", CultureInfo.InvariantCulture) ?? ""),
        OptionalCount("MaxFrames", "The most frames that are taken of each of the calibration set's videos; empty: all.", o => o.MaxFrames, (o, v) => o with { MaxFrames = v }),
        new("Seed", "0…18446744073709551615", "Seeds the order of the samples.",
            (o, text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? o with { Seed = seed } : null,
            o => o.Seed.ToString(CultureInfo.InvariantCulture)),
        new("Compute", ComputeWords.All, "What the heavy steps are computed with: this product's own code, or libtorch on the processor or a CUDA device, by the package MASQuant.Build.Torch.",
            (o, text) => ComputeWords.TryParse(text) is { } kind ? o with { Compute = kind } : null, o => ComputeWords.Of(o.Compute)),
    ];

    /// <summary>Reads options from words and values. Empty values mean the default; unknown words are left to the caller.</summary>
    /// <exception cref="MASQuantException">MASQ0502: a value that is not allowed; the message names those that are.</exception>
    public static QuantizationOptions Read(IReadOnlyDictionary<string, string> words, string? file = null)
    {
        var options = new QuantizationOptions();
        foreach (var option in All)
        {
            if (words.TryGetValue(option.Name, out var text) && text.Trim() is { Length: > 0 } value)
            {
                options = option.Apply(options, value) ?? throw new MASQuantException(DiagnosticCodes.OptionNotAllowed, file,
                    $"{option.Name}='{value}' is not allowed. {option.Refusal(value)}");
            }
        }

        return options;
    }

    /// <summary>Every option as words; <see cref="Read"/> gives the same options back.</summary>
    public static SortedDictionary<string, string> Write(QuantizationOptions options)
    {
        var words = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var option in All)
        {
            words[option.Name] = option.Format(options);
        }

        words.Remove(options.Rank is null ? "Rank" : "RankRatio");

        return words;
    }

    private static QuantizationOption Choice<T>(string name, string description, Func<QuantizationOptions, T> get, Func<QuantizationOptions, T, QuantizationOptions> set)
        where T : struct, Enum
        => new(name, string.Join(", ", Enum.GetNames<T>()), description,
            (o, text) => Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase) ? set(o, Enum.Parse<T>(text, ignoreCase: true)) : null,
            o => get(o).ToString());

    private static QuantizationOption Flag(string name, string description, Func<QuantizationOptions, bool> get, Func<QuantizationOptions, bool, QuantizationOptions> set)
        => new(name, "true, false", description, (o, text) => bool.TryParse(text, out var value) ? set(o, value) : null, o => get(o) ? "true" : "false");

    private static QuantizationOption Integer(string name, int low, int high, string description, Func<QuantizationOptions, int> get, Func<QuantizationOptions, int, QuantizationOptions> set)
        => new(name, $"{low}…{high}", description,
            (o, text) => TryInteger(text, low, high, out var value) ? set(o, value) : null,
            o => get(o).ToString(CultureInfo.InvariantCulture));

    private static QuantizationOption OptionalInteger(string name, string description, int high, Func<QuantizationOptions, int?> get, Func<QuantizationOptions, int?, QuantizationOptions> set)
        => new(name, $"{Automatic}, or 0…{high}", description,
            (o, text) => text.Equals(Automatic, StringComparison.OrdinalIgnoreCase) ? set(o, null) : TryInteger(text, 0, high, out var value) ? set(o, value) : null,
            o => get(o)?.ToString(CultureInfo.InvariantCulture) ?? Automatic);

    private static QuantizationOption OptionalCount(string name, string description, Func<QuantizationOptions, int?> get, Func<QuantizationOptions, int?, QuantizationOptions> set)
        => new(name, "empty, or 1…1073741824", description,
            (o, text) => TryInteger(text, 1, 1 << 30, out var value) ? set(o, value) : null,
            o => get(o)?.ToString(CultureInfo.InvariantCulture) ?? "");

    private static QuantizationOption Number(string name, double low, double high, string description, Func<QuantizationOptions, double> get, Func<QuantizationOptions, double, QuantizationOptions> set)
        => new(name, string.Create(CultureInfo.InvariantCulture, $"{low}…{high}"), description,
            (o, text) => TryNumber(text, low, high, out var value) ? set(o, value) : null,
            o => get(o).ToString("R", CultureInfo.InvariantCulture));

    private static bool TryNumber(string text, double low, double high, out double value)
        => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && value >= low && value <= high;

    private static bool TryInteger(string text, int low, int high, out int value)
        => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= low && value <= high;

    private static bool TryWeights(string text, out double[] weights)
    {
        if (string.Equals(text, Automatic, StringComparison.OrdinalIgnoreCase))
        {
            weights = [];
            return true;
        }

        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        weights = new double[ModalityMap.ModalityCount];
        if (parts.Length != weights.Length)
        {
            return false;
        }

        for (var i = 0; i < parts.Length; i++)
        {
            if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out weights[i]) || !double.IsFinite(weights[i]) || weights[i] < 0)
            {
                return false;
            }
        }

        return weights.Any(w => w > 0);
    }
}
