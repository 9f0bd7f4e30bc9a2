using MASQuant.Diagnostics;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Options;

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

/// <summary>How much time a run may take: what the other options are where they are not given.</summary>
public enum EffortKind
{
    /// <summary>Nothing is learned, an eighth of the calibration set is enough, and nothing is computed for reports alone.</summary>
    Fast,

    /// <summary>The least that lies within the intervals of the best.</summary>
    Standard,

    /// <summary>Factors are learned, and stored weights and patches fitted to each other.</summary>
    Best,
}

/// <summary>How codes are chosen.</summary>
public enum WeightQuantizerKind
{
    /// <summary>Round to nearest.</summary>
    Rtn,

    /// <summary>Round with error feedback through the Gram matrix of the smoothed inputs (GPTQ).</summary>
    Gptq,
}

/// <summary>The scheme of the first decoder block, whose weights carry most of the error of 4 bits.</summary>
public enum FirstBlockKind
{
    /// <summary>That of all blocks.</summary>
    Scheme,

    /// <summary>8 bits for weights and activations.</summary>
    W8A8,
}

/// <summary>What is stored of a part of the model beside the decoder's blocks.</summary>
public enum PartKind
{
    /// <summary>The checkpoint's values, in full precision.</summary>
    Full,

    /// <summary>Codes of 8 bits with one scale for each row; what meets them in a product gets codes of 8 bits with one scale for each token.</summary>
    W8,
}

/// <summary>What is stored of a head that guesses ahead.</summary>
public enum GuessHeadKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Its linear layers, and a copy of the model's head at 4 bits to guess with.</summary>
    W8,
}

/// <summary>Which inputs are rotated by <see cref="BlockHadamard"/> once they are smoothed, so that what is still loud spreads.</summary>
public enum RotationKind
{
    /// <summary>None.</summary>
    None,

    /// <summary>That of <c>down_proj</c>.</summary>
    Down,

    /// <summary>Those of all linear layers.</summary>
    All,
}

/// <summary>How far a weight's scale is shrunk below its largest value.</summary>
public enum ClippingKind
{
    /// <summary>Not at all: scale = absmax/(2^(b−1)−1).</summary>
    None,

    /// <summary>As far as lowers the rounding errors, weighted by their cost.</summary>
    Rounding,

    /// <summary>As far as lowers the output's error after error feedback.</summary>
    Output,
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
    // With 16 of omni-tiny's 128 samples no task's divergence leaves the interval of all; docs/accuracy.md.
    private const int FewestSamples = 16;

    /// <summary>Bits of weights and activations.</summary>
    public QuantizationScheme Scheme { get; init; } = QuantizationScheme.W4A8;

    /// <summary>How much time a run may take.</summary>
    public EffortKind Effort { get; init; } = EffortKind.Standard;

    /// <summary>The scheme of the first block.</summary>
    public FirstBlockKind FirstBlock { get; init; } = FirstBlockKind.W8A8;

    /// <summary>Schemes of single blocks or groups, in place of <see cref="Scheme"/> and <see cref="FirstBlock"/>.</summary>
    public LayerSchemes LayerSchemes { get; init; } = LayerSchemes.None;

    /// <summary>What is stored of the embedding and the head: where they are one, one table.</summary>
    public PartKind Head { get; init; }

    /// <summary>What is stored of the linear layers in the blocks and mergers of the towers. What reads pixels and mel frames stays in full precision.</summary>
    public PartKind Towers { get; init; }

    /// <summary>What is stored of a head that guesses ahead, which changes how fast tokens come and not which.</summary>
    public GuessHeadKind GuessHead { get; init; }

    /// <summary>Which factors smooth the activations.</summary>
    public SmoothingKind Smoothing { get; init; } = SmoothingKind.ModalityAware;

    /// <summary>SmoothQuant's α: how much of the range moves into the weights.</summary>
    public double MigrationStrength { get; init; } = 0.5;

    /// <summary>Passes over the calibration set that learn the factors; 0 keeps the initial values. Where it is not given, 1 for activations of fewer than 6 bits and 0 for others, which gain less than it costs; 0 always with <see cref="EffortKind.Fast"/>, 1 with <see cref="EffortKind.Best"/>.</summary>
    public int Epochs
    {
        get => GivenEpochs ?? Effort switch
        {
            EffortKind.Fast => 0,
            EffortKind.Best => 1,
            _ => Scheme is { QuantizesActivations: true, ActivationBits: < 6 } ? 1 : 0,
        };
        init => GivenEpochs = value;
    }

    /// <summary><see cref="Epochs"/> where it is given.</summary>
    public int? GivenEpochs { get; init; }

    /// <summary>Adam's step on the logarithm of the factors.</summary>
    public double LearningRate { get; init; } = 0.05;

    /// <summary>How many channels of a modality's factor may leave the base modality's; the rank of what this costs the one stored weight. −1: all (the paper).</summary>
    public int DeviatingChannels { get; init; } = 16;

    /// <summary>How codes are chosen.</summary>
    public WeightQuantizerKind WeightQuantizer { get; init; } = WeightQuantizerKind.Gptq;

    /// <summary>Inputs of one output that share a second-level scale: 128, or 0 for none. For 4-bit weights with quantized activations; W4A16 has groups of 128 always.</summary>
    public int GroupSize { get; init; }

    /// <summary>Which inputs are rotated.</summary>
    public RotationKind Rotation { get; init; } = RotationKind.All;

    /// <summary>Whether the ranges of activations end below their largest values where that lowers the rounding error, by input group and modality.</summary>
    public bool ActivationClipping { get; init; } = true;

    /// <summary>How weights are clipped.</summary>
    public ClippingKind Clipping { get; init; } = ClippingKind.Rounding;

    /// <summary>What the patches approximate.</summary>
    public CompensationKind Compensation { get; init; } = CompensationKind.Output;

    /// <summary>The rank of a patch; null when <see cref="RankRatio"/> decides.</summary>
    public int? Rank { get; init; } = 12;

    /// <summary>The rank as a share of min(N, K); used when <see cref="Rank"/> is null.</summary>
    public double RankRatio { get; init; } = 0.05;

    /// <summary>The fewest pixels that images of the calibration set are resized to; null: the checkpoint's.</summary>
    public int? MinPixels { get; init; }

    /// <summary>The most pixels that images of the calibration set are resized to; null: the checkpoint's, up to what the processor takes unasked.</summary>
    public int? MaxPixels { get; init; }

    /// <summary>The most frames of a second that are taken of the calibration set's videos; null: all.</summary>
    public double? MaxFramesPerSecond { get; init; }

    /// <summary>The most frames that are taken of each of the calibration set's videos; null: all.</summary>
    public int? MaxFrames { get; init; }

    /// <summary>The most bytes of all patches together; the pipeline then chooses ranks by what they bring. Null: <see cref="Rank"/> or <see cref="RankRatio"/> decides.</summary>
    public long? PatchBytes { get; init; }

    /// <summary>Ranks of single patches, in place of <see cref="Rank"/>, <see cref="RankRatio"/> and <see cref="PatchBytes"/>.</summary>
    public LayerRanks LayerRanks { get; init; } = LayerRanks.None;

    /// <summary>How often the stored weight is fitted to the true outputs, given the patches, and the patches again to it. Where it is not given, 1 with <see cref="EffortKind.Best"/>, else 0.</summary>
    public int Alternations
    {
        get => GivenAlternations ?? (Effort == EffortKind.Best ? 1 : 0);
        init => GivenAlternations = value;
    }

    /// <summary><see cref="Alternations"/> where it is given.</summary>
    public int? GivenAlternations { get; init; }

    /// <summary>Whether <c>down_proj</c> is smoothed and patched (the paper leaves it out).</summary>
    public bool CompensateDown { get; init; } = true;

    /// <summary>λ_m of the loss and of the weight quantizer's Gram matrix, indexed by <see cref="Modality"/>; empty to take each block's from gradients.</summary>
    public IReadOnlyList<double> ModalityWeights { get; init; } = [1, 1, 1];

    /// <summary>Seeds the order of the samples.</summary>
    public ulong Seed { get; init; }

    /// <summary>What the heavy steps are computed with.</summary>
    public ComputeKind Compute { get; init; }

    /// <summary>How many pixels calibration's images keep, and how many frames its videos.</summary>
    public ImageBudget Budget => new() { MinPixels = MinPixels, MaxPixels = MaxPixels, MaxFramesPerSecond = MaxFramesPerSecond, MaxFrames = MaxFrames };

    /// <summary>These, with the limits of pixels and frames that they lack taken from <paramref name="basis"/>.</summary>
    public QuantizationOptions WithLimitsOf(QuantizationOptions basis) => this with
    {
        MinPixels = MinPixels ?? basis.MinPixels,
        MaxPixels = MaxPixels ?? basis.MaxPixels,
        MaxFramesPerSecond = MaxFramesPerSecond ?? basis.MaxFramesPerSecond,
        MaxFrames = MaxFrames ?? basis.MaxFrames,
    };

    /// <summary>How many samples of a calibration set of <paramref name="samples"/> are used.</summary>
    public int SamplesOf(int samples) => Effort == EffortKind.Fast ? Math.Min(samples, Math.Max(FewestSamples, samples / 8)) : samples;

    /// <summary>Whether spectra of residuals, which reports alone show, are computed.</summary>
    internal bool DescribesResiduals => Effort != EffortKind.Fast;

    /// <summary>The block by which a layer's inputs are rotated; 0 for none.</summary>
    internal int RotationBlockFor(DecoderLinear linear)
        => Rotation == RotationKind.All || (Rotation == RotationKind.Down && linear.Group == InputGroup.Down) ? BlockHadamard.LargestBlock(linear.Inputs) : 0;

    /// <summary>Whether ranges of activations of <paramref name="scheme"/> may be clipped.</summary>
    internal bool ClipsActivations(QuantizationScheme scheme) => ActivationClipping && scheme.QuantizesActivations;

    /// <summary><see cref="GroupSize"/> where <paramref name="scheme"/> has second-level scales, else 0.</summary>
    internal int GroupSizeFor(QuantizationScheme scheme) => scheme.SupportsGroupScales ? GroupSize : 0;

    /// <summary>The rank of a patch for a layer of shape [N, K]: at most min(N, K).</summary>
    public int RankFor(int outputs, int inputs)
    {
        var smaller = Math.Min(outputs, inputs);
        return Compensation == CompensationKind.None ? 0 : Math.Min(smaller, Rank ?? (int)Math.Ceiling(RankRatio * smaller));
    }

    /// <summary>The scheme of an input group.</summary>
    /// <param name="layer">The block.</param>
    /// <param name="group">The group.</param>
    public QuantizationScheme SchemeFor(int layer, InputGroup group)
        => LayerSchemes.For(layer, group) ?? (layer == 0 && FirstBlock == FirstBlockKind.W8A8 ? QuantizationScheme.W8A8 : Scheme);

    /// <summary>The rank of a patch: at most min(N, K), 0 where there is none.</summary>
    /// <param name="layer">The block.</param>
    /// <param name="linear">The linear layer.</param>
    /// <param name="modality">Whose tokens the patch serves.</param>
    public int RankFor(int layer, DecoderLinear linear, Modality modality)
    {
        if (modality == Modality.Text || Compensation == CompensationKind.None || (linear.Group == InputGroup.Down && !CompensateDown))
        {
            return 0;
        }

        return LayerRanks.For(layer, linear, modality) is { } rank
            ? Math.Min(rank, Math.Min(linear.Outputs, linear.Inputs))
            : PatchBytes is null ? RankFor(linear.Outputs, linear.Inputs) : 0; // Not known before it was measured.
    }

    /// <summary>Refuses overrides that name blocks which a model lacks.</summary>
    /// <param name="layers">The model's decoder blocks.</param>
    /// <exception cref="MASQuantException">MASQ0513.</exception>
    public void CheckBlocks(int layers)
    {
        foreach (var (word, place) in new[] { (nameof(LayerSchemes), LayerSchemes.Beyond(layers)), (nameof(LayerRanks), LayerRanks.Beyond(layers)) })
        {
            if (place is not null)
            {
                throw new MASQuantException(DiagnosticCodes.BlockNotThere, null, $"{word} names block {place}; the model has blocks 0…{layers - 1}. Name one of those, or * for all.");
            }
        }
    }
}
