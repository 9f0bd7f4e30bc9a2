using System.Text.Json.Serialization;

namespace MASQuant.Quantization.Facts;

/// <summary>What a report tells of a run and the manifest does not hold, since programs have no use for it: <c>NAME.masquant.facts.json</c>, beside the artifact. Equal runs give equal bytes.</summary>
public sealed record RunFacts
{
    /// <summary>The version of this format.</summary>
    public const int CurrentFormatVersion = 1;

    /// <summary>The version of this format.</summary>
    public int FormatVersion { get; init; } = CurrentFormatVersion;

    /// <summary>The checkpoint's weights, in bytes.</summary>
    public required long SourceBytes { get; init; }

    /// <summary>One entry per decoder block, in order.</summary>
    public required IReadOnlyList<BlockFacts> Blocks { get; init; }
}

/// <summary>Facts of one decoder block.</summary>
public sealed record BlockFacts
{
    /// <summary>The block's number, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Per input group and modality: how far one factor for all modalities misses this one.</summary>
    public required IReadOnlyList<MisalignmentFacts> Misalignment { get; init; }

    /// <summary>Per layer and patched modality: the residual's singular values.</summary>
    public required IReadOnlyList<SpectrumFacts> Spectra { get; init; }
}

/// <summary>What a uniform smoothing factor, which follows the widest modality channel by channel, costs one modality (paper, Theorem 1).</summary>
public sealed record MisalignmentFacts
{
    /// <summary>The input group.</summary>
    public required string Group { get; init; }

    /// <summary>The modality.</summary>
    public required string Modality { get; init; }

    /// <summary>Quantiles 0, 10, 50, 90 and 100 % over channels of log2 α, α the range over all modalities as a multiple of this modality's.</summary>
    public required IReadOnlyList<double> RangeRatios { get; init; }

    /// <summary>The loss of SQNR that Theorem 1 predicts from α, in dB, at most 0.</summary>
    public required double PredictedLoss { get; init; }

    /// <summary>The same from the ranges as they are after smoothing, since factors move only a part of a range into the weights; in dB.</summary>
    public required double PredictedSmoothedLoss { get; init; }

    /// <summary>The measured loss: mean over tokens of SQNR with the uniform factor less SQNR with the modality's own, in dB; null when activations are not quantized.</summary>
    public double? MeasuredLoss { get; init; }
}

/// <summary>Singular values of a layer's residual ΔW = s_m⊙W − Q_w(s_b⊙W), at a bounded number of places.</summary>
public sealed record SpectrumFacts
{
    /// <summary>The layer's name inside the block.</summary>
    public required string Linear { get; init; }

    /// <summary>The modality whose factor shapes the residual.</summary>
    public required string Modality { get; init; }

    /// <summary>How many singular values there are.</summary>
    public required int Count { get; init; }

    /// <summary>σ of ΔW at <see cref="SpectrumSampling.Places"/> of <see cref="Count"/>.</summary>
    public required IReadOnlyList<double> Plain { get; init; }

    /// <summary>σ of T·ΔWᵀ at the same places.</summary>
    public required IReadOnlyList<double> Whitened { get; init; }
}

/// <summary>How long a run took: <c>NAME.masquant.times.json</c>, apart from the facts, which are the same on every machine.</summary>
public sealed record RunTimes
{
    /// <summary>Reading the checkpoint, embedding the calibration set, in seconds; of the last run when several were needed.</summary>
    public required double Prepare { get; init; }

    /// <summary>Writing the artifact, in seconds.</summary>
    public required double Write { get; init; }

    /// <summary>One entry per decoder block: seconds by stage. Empty for a block that an older version finished.</summary>
    public required IReadOnlyList<SortedDictionary<string, double>> Blocks { get; init; }
}

/// <summary>Reads and writes facts without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RunFacts))]
[JsonSerializable(typeof(RunTimes))]
[JsonSerializable(typeof(BlockFacts))]
[JsonSerializable(typeof(SortedDictionary<string, double>))]
internal sealed partial class FactsJson : JsonSerializerContext;
