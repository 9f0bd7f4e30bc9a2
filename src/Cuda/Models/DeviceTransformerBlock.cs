using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Models;

/// <summary>A block of a decoder or a tower on a device.</summary>
public sealed class DeviceTransformerBlock
{
    /// <summary>Composes a block.</summary>
    /// <param name="description">Its steps.</param>
    /// <param name="norms">The norms, in the order of their steps.</param>
    /// <param name="groups">The layers of each step that has some, in order.</param>
    /// <param name="parameters">The other numbers, in the order of their steps; null: there are none.</param>
    /// <exception cref="NotSupportedException">The kernels do not take the steps.</exception>
    public DeviceTransformerBlock(BlockDescription description, IReadOnlyList<DeviceNorm> norms, IReadOnlyList<DeviceInputGroup> groups, IReadOnlyList<DeviceSlot>? parameters = null)
    {
        (Description, Norms, Groups, Parameters) = (description, norms, groups, parameters ?? []);
        if (FirstUnsupported(description.Steps) is { } step)
        {
            throw step.Unknown("CUDA");
        }
    }

    /// <summary>The steps.</summary>
    public BlockDescription Description { get; }

    /// <summary>The norms, in the order of their steps.</summary>
    public IReadOnlyList<DeviceNorm> Norms { get; }

    /// <summary>The layers of each step that has some, in order.</summary>
    public IReadOnlyList<DeviceInputGroup> Groups { get; }

    /// <summary>The other numbers that steps read, FP32, in their order.</summary>
    public IReadOnlyList<DeviceSlot> Parameters { get; }

    /// <summary>The values that layers give which are not added at once: the most of any step on M rows.</summary>
    public long ProjectedValues(int rows)
    {
        var (steps, group, most) = (Description.Steps, 0, 0L);
        for (var i = 0; i < steps.Count; i++)
        {
            rows /= (steps[i] as JoinStep)?.Rows ?? (steps[i] as JoinStreamStep)?.Rows ?? 1;
            if (steps[i] is ProjectStep && Groups[group++] is var layers && i + 1 < steps.Count && steps[i + 1] is not AddStep)
            {
                most = Math.Max(most, (long)rows * layers.Weight.Outputs);
            }
        }

        return most;
    }

    /// <summary>The columns of a and b, which rule a state; 0 without one.</summary>
    internal int RulingOutputs
    {
        get
        {
            var before = Description.Steps.TakeWhile(step => step is not DeltaRuleStep).ToArray();
            return before.Length == Description.Steps.Count ? 0 : Groups[before.Count(step => step is ProjectStep) - 1].Weight.Outputs;
        }
    }

    /// <summary>Whether the kernels take the steps.</summary>
    public static bool Supports(BlockDescription description) => FirstUnsupported(description.Steps) is null;

    /// <summary>Adds a block to an upload.</summary>
    /// <param name="upload">Receives it.</param>
    /// <param name="source">Is not kept.</param>
    /// <param name="description">Its steps.</param>
    /// <param name="group">Adds the layers of a step.</param>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static DeviceTransformerBlock Read(DeviceUpload upload, ITensorSource source, BlockDescription description, Func<ProjectStep, DeviceInputGroup> group) => new(
        description,
        [.. description.Norms.Select(norm => DeviceNorm.Add(upload, Norm.Read(source, description.Prefix, norm)))],
        [.. description.Projections.Select(group)],
        [.. TransformerBlock.ReadParameters(source, description).Select(values => upload.Add<float>(values))]);

    private static bool Knows(BlockStep step) => step is ConvolveStep or DeltaRuleStep or NormalizeGatedStep or SplitGatesStep or GateOutputStep or NormalizeStep or GateStep or ActivateStep or NormalizeHeadsStep or AttendStep or RotateStep or DeepstackStep or JoinStreamStep or JoinStep or ProjectStep or AddStep or PoolStep;

    // What prepares the input of layers is one launch with what follows, so that they must be known; rotating is one with attending.
    private static BlockStep? FirstUnsupported(IReadOnlyList<BlockStep> steps)
    {
        if (steps.FirstOrDefault(step => !Knows(step)) is { } unknown)
        {
            return unknown;
        }

        for (var i = 0; i < steps.Count; i++)
        {
            var (before, after) = (i > 0 ? steps[i - 1] : null, i + 1 < steps.Count ? steps[i + 1] : null);
            if (steps[i] switch
            {
                NormalizeStep or GateStep or ActivateStep => after is ProjectStep or JoinStep,
                NormalizeHeadsStep { Queries.Kind: NormKind.RootMeanSquare, Keys.Kind: NormKind.RootMeanSquare } => before is ProjectStep { Linears.Count: 3 } or SplitGatesStep && after is RotateStep,
                AttendStep attend => after is ProjectStep or GateOutputStep && (before is RotateStep || attend.Span != AttentionSpan.Causal),
                SplitGatesStep => before is ProjectStep { Linears.Count: 3 } && after is NormalizeHeadsStep or RotateStep,
                GateOutputStep => before is AttendStep && after is ProjectStep,
                ConvolveStep convolve => StateKernels.Supports(convolve) && before is ProjectStep { Linears.Count: 2 } && after is NormalizeStep,
                DeltaRuleStep delta => StateKernels.Supports(delta) && before is ProjectStep { Linears.Count: 2 } && after is NormalizeGatedStep,
                NormalizeGatedStep { Norm.Kind: NormKind.RootMeanSquare } => before is DeltaRuleStep && after is ProjectStep,
                RotateStep => after is AttendStep,
                DeepstackStep => before is AddStep,
                JoinStreamStep => after is NormalizeStep,
                JoinStep => after is ProjectStep,
                ProjectStep => after is null or SplitGatesStep or ConvolveStep or DeltaRuleStep or NormalizeHeadsStep or RotateStep or AttendStep or GateStep or ActivateStep or AddStep,
                AddStep or PoolStep => true,
                _ => false,
            })
            {
                continue;
            }

            return steps[i];
        }

        return null;
    }
}
