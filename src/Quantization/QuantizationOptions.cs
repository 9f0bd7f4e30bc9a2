using MASQuant.Gemm;

namespace MASQuant.Quantization;

/// <summary>How the factors that smooth activations are chosen.</summary>
public enum SmoothingKind
{
    /// <summary>All ones.</summary>
    None,

    /// <summary>One factor for all modalities (SmoothQuant).</summary>
    Uniform,

    /// <summary>One factor per modality (MAS, paper Eq. 12).</summary>
    ModalityAware,
}

/// <summary>How codes are chosen.</summary>
public enum WeightQuantizerKind
{
    /// <summary>Round to nearest.</summary>
    Rtn,

    /// <summary>Round with error feedback through the Gram matrix of the smoothed inputs (GPTQ).</summary>
    Gptq,
}

/// <summary>What the low-rank patches approximate.</summary>
public enum CompensationKind
{
    /// <summary>No patches.</summary>
    None,

    /// <summary>s_m⊙W − Q_w(s_b⊙W), whitened (paper Eq. 22–28).</summary>
    Weight,

    /// <summary>The full-precision output minus the quantized one, regressed on the smoothed input: carries the activations' and the inherited error too.</summary>
    Output,
}

/// <summary>Everything that shapes the quantized weights. Equal options and inputs give equal bytes.</summary>
public sealed record QuantizationOptions
{
    /// <summary>Bits of weights and activations.</summary>
    public QuantizationScheme Scheme { get; init; } = QuantizationScheme.W4A8;

    /// <summary>Which factors smooth the activations.</summary>
    public SmoothingKind Smoothing { get; init; } = SmoothingKind.ModalityAware;

    /// <summary>SmoothQuant's α: how much of the range moves into the weights.</summary>
    public double MigrationStrength { get; init; } = 0.5;

    /// <summary>Passes over the calibration set that learn the factors; 0 keeps the initial values.</summary>
    public int Epochs { get; init; } = 2;

    /// <summary>Adam's step on the logarithm of the factors.</summary>
    public double LearningRate { get; init; } = 0.05;

    /// <summary>How many channels of a modality's factor may leave the base modality's; the rank of what this costs the one stored weight. −1: all (the paper).</summary>
    public int DeviatingChannels { get; init; } = 8;

    /// <summary>How codes are chosen.</summary>
    public WeightQuantizerKind WeightQuantizer { get; init; } = WeightQuantizerKind.Gptq;

    /// <summary>What the patches approximate.</summary>
    public CompensationKind Compensation { get; init; } = CompensationKind.Output;

    /// <summary>The rank of a patch; null when <see cref="RankRatio"/> decides.</summary>
    public int? Rank { get; init; } = 16;

    /// <summary>The rank as a share of min(N, K); used when <see cref="Rank"/> is null.</summary>
    public double RankRatio { get; init; } = 0.05;

    /// <summary>Whether <c>down_proj</c> is smoothed and patched (the paper leaves it out).</summary>
    public bool CompensateDown { get; init; } = true;

    /// <summary>λ_m of the loss and of the weight quantizer's Gram matrix, indexed by <see cref="Modality"/>.</summary>
    public IReadOnlyList<double> ModalityWeights { get; init; } = [1, 1, 1];

    /// <summary>Seeds the order of the samples and the random projections.</summary>
    public ulong Seed { get; init; }

    /// <summary>The rank of a patch for a layer of shape [N, K]: at most min(N, K).</summary>
    public int RankFor(int outputs, int inputs)
    {
        var smaller = Math.Min(outputs, inputs);
        return Compensation == CompensationKind.None ? 0 : Math.Min(smaller, Rank ?? (int)Math.Ceiling(RankRatio * smaller));
    }
}
