using MASQuant.Cuda.Device;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Gemm;

/// <summary>Layers that carry a state in place of keys and values, and attention whose output has a gate; the processor's values, bit for bit. What counts tokens is read from device memory.</summary>
public static class StateKernels
{
    private const int Threads = 256;
    private const int HeadsOfBlock = 8;
    private const int RowsOfTile = 32;
    private const int Width = 4;
    private static readonly int[] KeySizes = [32, 64, 128];
    private static readonly KernelModule Module = new("states.sm80.ptx", 80);
    private static readonly Kernel ConvolveKernel = new(Module, "convolve", Threads);
    private static readonly Kernel InputsKernel = new(Module, "delta_inputs", Threads);
    private static readonly Kernel NormKernel = new(Module, "norm_gated", Threads);
    private static readonly Kernel SplitKernel = new(Module, "split_gates", Threads);
    private static readonly Kernel GateKernel = new(Module, "gate_output", Threads);
    private static readonly Kernel[] RuleKernels = [.. KeySizes.Select(size => new Kernel(Module, $"delta_rule_{size}", 2 * DeltaRuleStep.ValueBlock))];

    /// <summary>Every kernel of the module.</summary>
    public static IReadOnlyList<Kernel> All { get; } = [ConvolveKernel, InputsKernel, NormKernel, SplitKernel, GateKernel, .. RuleKernels];

    /// <summary>Whether a convolution can run.</summary>
    public static bool Supports(ConvolveStep step) => step.Width == Width;

    /// <summary>Whether a delta rule can run.</summary>
    public static bool Supports(DeltaRuleStep step) => KeySizes.Contains(step.KeySize);

    /// <summary>The values that a convolution keeps of a sequence.</summary>
    public static long WindowValues(ConvolveStep step) => (long)(step.Width - 1) * step.Channels;

    /// <summary>The values of a sequence's state.</summary>
    public static long StateValues(DeltaRuleStep step) => (long)step.ValueHeads * step.KeySize * step.ValueSize;

    /// <summary>out = SiLU of the causal convolution of x's first columns, each on its own; the window takes the last rows.</summary>
    /// <param name="step">Channels C.</param>
    /// <param name="x">[M, stride] FP32.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="weights">[C, 4] FP32.</param>
    /// <param name="counts">Of the step.</param>
    /// <param name="window">[3, C] FP32 of the first sequence.</param>
    /// <param name="apart">Whether row m is the next of sequence m, whose window lies m windows on.</param>
    /// <param name="output">[M, C] FP32.</param>
    /// <param name="rows">M.</param>
    public static KernelLaunch Convolve(ConvolveStep step, DevicePointer x, long stride, DevicePointer weights, StepCounts counts, DevicePointer window, bool apart, DevicePointer output, int rows)
        => new(ConvolveKernel, new GridSize((step.Channels + Threads - 1) / Threads, apart ? rows : (rows + RowsOfTile - 1) / RowsOfTile), 0, new KernelArguments().With(x).With(stride).With(step.Channels)
            .With(weights).With(counts.Step).With(counts.Cached).With(window).With(apart ? 1 : 0).With(output).With((long)step.Channels));

    /// <summary>Gives queries and keys unit length, in place, and turns a and b into decays and strengths.</summary>
    /// <param name="step">Heads and their widths.</param>
    /// <param name="x">[M, C] FP32: queries, keys, values.</param>
    /// <param name="channels">C.</param>
    /// <param name="ab">[M, stride] FP32: a of every value head, and from the middle on b.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="decay">A, FP32.</param>
    /// <param name="offset">What is added to a, FP32.</param>
    /// <param name="gates">[M, 2, value heads] FP32, overwritten.</param>
    /// <param name="rows">M.</param>
    public static KernelLaunch DeltaInputs(DeltaRuleStep step, DevicePointer x, long channels, DevicePointer ab, int stride, DevicePointer decay, DevicePointer offset, DevicePointer gates, int rows)
        => new(InputsKernel, new GridSize(rows), 0, new KernelArguments().With(x).With(channels).With(step.KeyHeads).With(step.KeySize).With(DeltaRuleStep.LengthEpsilon).With(1 / MathF.Sqrt(step.KeySize))
            .With(ab).With((long)stride).With(stride / 2).With(decay).With(offset).With(step.ValueHeads).With(gates));

    /// <summary>The gated delta rule, token after token; the state takes what is behind the last.</summary>
    /// <param name="step">Heads and their widths.</param>
    /// <param name="x">[M, C] FP32: queries, keys, values.</param>
    /// <param name="channels">C.</param>
    /// <param name="gates">[M, 2, value heads] FP32.</param>
    /// <param name="counts">Of the step.</param>
    /// <param name="state">The first sequence's.</param>
    /// <param name="apart">Whether row m is the next of sequence m, whose state lies m states on.</param>
    /// <param name="output">[M, value heads · d_v] FP32.</param>
    /// <param name="rows">M.</param>
    public static KernelLaunch DeltaRule(DeltaRuleStep step, DevicePointer x, long channels, DevicePointer gates, StepCounts counts, DevicePointer state, bool apart, DevicePointer output, int rows)
        => new(RuleKernels[Array.IndexOf(KeySizes, step.KeySize)], new GridSize(step.ValueHeads * step.ValueSize / DeltaRuleStep.ValueBlock, apart ? rows : 1), 0, new KernelArguments().With(x).With(channels)
            .With(step.KeyHeads).With(step.ValueHeads).With(step.ValueSize).With(gates).With(counts.Step).With(counts.Cached).With(state).With(apart ? StateValues(step) : 0L).With(output).With(rows));

    /// <summary>The norm of every head, times SiLU of its gate, in place.</summary>
    /// <param name="x">[M, heads · d] FP32.</param>
    /// <param name="heads">How many.</param>
    /// <param name="norm">Of the d values of a head.</param>
    /// <param name="gain">[d] FP32.</param>
    /// <param name="gate">[M, stride] FP32.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="rows">M.</param>
    public static KernelLaunch NormGated(DevicePointer x, int heads, NormDescription norm, DevicePointer gain, DevicePointer gate, long stride, int rows)
        => new(NormKernel, new GridSize(rows, (heads + HeadsOfBlock - 1) / HeadsOfBlock), 0, new KernelArguments().With(x).With(heads).With(norm.Size).With(gain).With(norm.Epsilon).With(gate).With(stride));

    /// <summary>Queries without their gates, keys and values, side by side.</summary>
    /// <param name="source">[M, stride] FP32: queries and gates of a head in turns, then keys and values.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="heads">The decoder's heads.</param>
    /// <param name="target">[M, (query heads + 2 · key heads) · d] FP32.</param>
    /// <param name="rows">M.</param>
    public static KernelLaunch SplitGates(DevicePointer source, long stride, in HeadShape heads, DevicePointer target, int rows)
        => new(SplitKernel, new GridSize(rows), 0, new KernelArguments().With(source).With(stride).With(heads.Queries).With(2 * heads.Keys * heads.Size).With(heads.Size).With(target));

    /// <summary>x ⊙ σ(gate), in place.</summary>
    /// <param name="x">[M, heads · d] FP32.</param>
    /// <param name="heads">How many.</param>
    /// <param name="size">d.</param>
    /// <param name="source">As <see cref="SplitGates"/> has found the gates.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="rows">M.</param>
    public static KernelLaunch GateOutput(DevicePointer x, int heads, int size, DevicePointer source, long stride, int rows)
        => new(GateKernel, new GridSize(rows), 0, new KernelArguments().With(x).With(heads).With(size).With(source).With(stride));
}
