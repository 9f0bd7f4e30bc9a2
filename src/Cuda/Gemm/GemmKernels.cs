using MASQuant.Cuda.Device;
using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;

namespace MASQuant.Cuda.Gemm;

/// <summary>Y = X · Wᵀ + bias + T · L2 (paper Eq. 29) with <c>mma.sync</c>, and what brings operands into its orders. Integer formats equal <see cref="ScalarGemmBackend"/> bit for bit where no patch adds.</summary>
public static class GemmKernels
{
    /// <summary>Outputs of a panel: N is a multiple.</summary>
    public const int PanelOutputs = 16;

    /// <summary>Inputs of a step: K is padded to a multiple.</summary>
    public const int StepInputs = PrepareKernels.InputMultiple;

    /// <summary>Ranks are padded to multiples of this.</summary>
    public const int RankMultiple = 16;

    /// <summary>The most tokens that the decode kernels take in one pass over the weight.</summary>
    public const int DecodeTokens = 16;

    /// <summary>The wide kernels take over above this many tokens.</summary>
    public const int WideFrom = 64;

    private const int Threads = 256;
    private const int DecodeWarps = 8;
    private const int PrefillPanels = 8;
    private const int PrefillTokens = 128;
    private const int TilePartials = 128;
    private const int MaxParts = 16;
    private const int WideThreads = 384;
    private const int WideTokens = 256;
    private const int WideStages = 4;
    private const int StageInputs = 128;
    private const int BarrierBytes = 2 * sizeof(ulong);
    private const int SwizzleAlignment = 1024;
    private const int LargestNibble = 7;
    private static readonly KernelModule Module = new("gemm.sm80.ptx", 80);
    private static readonly KernelModule NibbleModule = new("gemm.s4.sm80.ptx", 80, LastComputeCapability: 89); // Tensor cores of 9.0 and later have no 4-bit integers.
    private static readonly KernelModule HopperModule = new("gemm.sm90a.ptx", 90, LastComputeCapability: 90);
    private static readonly FormatKernels[] Formats =
    [
        new(Module, "w4a8", rowBytes: 64, vectors: 1, stages: 4, decodePanels: 4, isWide: true),
        new(Module, "w8a8", rowBytes: 64, vectors: 2, stages: 4, decodePanels: 4, isWide: true),
        new(Module, "w4a16", rowBytes: 128, vectors: 1, stages: 4, decodePanels: 4),
        new(Module, "bf16", rowBytes: 128, vectors: 4, stages: 3, decodePanels: 2),
    ];

    private static readonly FormatKernels OfNibbles = new(NibbleModule, "w4a4", rowBytes: 32, vectors: 1, stages: 6, decodePanels: 4);
    private static readonly Kernel ProjectKernel = new(Module, "project", Threads, Formats[(int)WeightFormat.BFloat16].RingBytes);
    private static readonly Kernel ArrangeInt4 = new(Module, "arrange_w4", 32);
    private static readonly Kernel ArrangeInt8 = new(Module, "arrange_w8", 32);

    /// <summary>Every kernel of the modules.</summary>
    public static IReadOnlyList<Kernel> All { get; } = [.. Formats.SelectMany(format => format.All), .. OfNibbles.All, ProjectKernel, ArrangeInt4, ArrangeInt8];

    /// <summary>The format of a scheme's weights.</summary>
    public static WeightFormat FormatOf(QuantizationScheme scheme)
        => scheme.HasZeroPoints ? WeightFormat.Int4Groups : scheme.WeightBits == 8 ? WeightFormat.Int8 : WeightFormat.Int4;

    /// <summary>The bytes of a weight's codes on the device.</summary>
    public static long CodeBytes(WeightFormat format, int outputs, int inputs)
        => checked((long)Panels(outputs) * Steps(inputs) * Formats[(int)format].StepBytes);

    /// <summary>The bytes of the tiles of M tokens' codes.</summary>
    public static long TiledBytes(int tokens, int inputs) => checked((long)Divide(tokens, WideTokens) * Divide(inputs, StageInputs) * WideTokens * StageInputs);

    /// <summary>Room for the codes of M tokens in whatever order a weight asks for on this device.</summary>
    public static long TokenBytes(ICudaDevice device, int tokens, int inputs)
        => TakesTiles(device, tokens) ? TiledBytes(tokens, inputs) : (long)tokens * PrepareKernels.Stride(inputs);

    /// <summary>How the tokens of a weight are to lie: tiles for many on compute capability 9.0, where the warpgroup MMA takes them; nibbles where both sides have 4 bits and the device has an MMA for them; otherwise rows, which every device multiplies.</summary>
    /// <param name="device">Multiplies.</param>
    /// <param name="format">Of the weight.</param>
    /// <param name="largest">The largest code of a token.</param>
    /// <param name="tokens">M.</param>
    public static TokenOrder OrderOf(ICudaDevice device, WeightFormat format, int largest, int tokens)
        => format is not (WeightFormat.Int4 or WeightFormat.Int8) ? TokenOrder.Rows
            : TakesTiles(device, tokens) ? TokenOrder.Tiles
            : NibbleModule.IsFor(device.ComputeCapability) && format == WeightFormat.Int4 && largest <= LargestNibble ? TokenOrder.Nibbles
            : TokenOrder.Rows;

    /// <summary>Chooses kernel and grid for M × N × K on a device with <paramref name="multiprocessors"/>; <paramref name="order"/> is how the codes of tokens lie.</summary>
    public static GemmPlan Plan(WeightFormat format, int tokens, int outputs, int inputs, int multiprocessors, TokenOrder order = TokenOrder.Rows)
    {
        var kernels = Of(format, order);
        if (order == TokenOrder.Tiles)
        {
            var wide = kernels.Wide ?? throw new ArgumentException($"{format} reads no tiles.", nameof(order));
            return new GemmPlan(wide, new GridSize(Math.Min(multiprocessors, checked(Divide(tokens, WideTokens) * Divide(Panels(outputs), PrefillPanels)))), wide.MaxSharedBytes, 0, 0);
        }

        if (tokens > DecodeTokens)
        {
            return new GemmPlan(kernels.Prefill, new GridSize(Divide(tokens, PrefillTokens), Divide(Panels(outputs), PrefillPanels)), kernels.RingBytes, 0, 0);
        }

        // Two blocks fit a multiprocessor: divide the inputs until all are busy, each warp keeping two steps or more.
        var blocks = Divide(Panels(outputs), kernels.DecodePanels);
        var parts = Math.Clamp(Math.Min(2 * multiprocessors / blocks, Steps(inputs) / (2 * DecodeWarps)), 1, MaxParts);
        var tiles = tokens > 8 ? 2 : 1;
        return new GemmPlan(tiles == 1 ? kernels.Decode8 : kernels.Decode16, new GridSize(blocks, 1, parts), 0,
            parts == 1 ? 0 : (long)blocks * parts * kernels.DecodePanels * tiles * TilePartials * sizeof(int), parts == 1 ? 0 : blocks);
    }

    /// <summary>One product.</summary>
    /// <param name="plan">For this format and shape.</param>
    /// <param name="weight">[N, K].</param>
    /// <param name="tokens">[M, K].</param>
    /// <param name="patches">The low-rank branch, or the default.</param>
    /// <param name="y">FP32, overwritten.</param>
    /// <param name="yStride">Values from row to row of y.</param>
    /// <param name="partial">As large as the plan asks, or null.</param>
    /// <param name="counters">As many as the plan asks, zero, or null.</param>
    public static KernelLaunch Multiply(
        in GemmPlan plan, in WeightPointers weight, in TokenPointers tokens, in PatchPointers patches, DevicePointer y, long yStride, DevicePointer partial, DevicePointer counters)
    {
        var grouped = weight.Format == WeightFormat.Int4Groups;
        var operands = tokens.Order == TokenOrder.Tiles
            ? new KernelArguments().With(weight.Codes).With(Steps(weight.Inputs)).With(tokens.Rows)
            : new KernelArguments().With(weight.Codes).With(grouped ? weight.Scales : DevicePointer.Null).With(weight.ZeroPoints).With(Steps(weight.Inputs))
                .With(tokens.Rows).With((long)tokens.Stride * Of(weight.Format, tokens.Order).RowBytes / StepInputs);
        var arguments = operands
            .With(tokens.Scales).With(grouped ? DevicePointer.Null : weight.Scales).With(weight.Bias).With(y).With(yStride)
            .With(tokens.Modalities).With(patches.Projected).With(patches.Stride).With(patches.Table).With(patches.Layers)
            .With(tokens.Count).With(Panels(weight.Outputs));
        return new KernelLaunch(plan.Kernel, plan.Grid, plan.SharedBytes, plan.SharedBytes > 0 ? arguments : arguments.With(partial).With(counters));
    }

    /// <summary>T[M, R] = smoothed · L1 of each token's modality, BF16, for all layers of an input group at once.</summary>
    /// <param name="l1">Vision's then audio's L1ᵀ [R, K] in the order of <see cref="FragmentOrder.PackBFloat16"/>.</param>
    /// <param name="visionRanks">Columns of T that vision uses, a multiple of 16; beyond them its L1 is not read.</param>
    /// <param name="audioRanks">As <paramref name="visionRanks"/>.</param>
    /// <param name="inputs">K.</param>
    /// <param name="tokens">BF16 rows; modalities are given.</param>
    /// <param name="projected">[M, <paramref name="ranks"/>]; rows in blocks of 128 without vision and audio are left as they are.</param>
    /// <param name="ranks">R, a multiple of 16.</param>
    public static KernelLaunch Project(DevicePointer l1, int visionRanks, int audioRanks, int inputs, in TokenPointers tokens, DevicePointer projected, int ranks)
        => new(ProjectKernel, new GridSize(Divide(tokens.Count, PrefillTokens), Divide(Panels(ranks), PrefillPanels)), ProjectKernel.MaxSharedBytes,
            new KernelArguments().With(l1).With(CodeBytes(WeightFormat.BFloat16, ranks, inputs) / 16).With(visionRanks).With(audioRanks).With(Steps(inputs))
                .With(tokens.Rows).With((long)tokens.Stride * sizeof(ushort)).With(tokens.Modalities).With(projected).With(ranks).With(tokens.Count).With(Panels(ranks)));

    /// <summary>Brings packed codes (<see cref="PackingLayout"/>, K padded: each panel's bytes at a multiple of its padded size) into fragment order, in place.</summary>
    public static KernelLaunch Arrange(WeightFormat format, DevicePointer codes, int outputs, int inputs)
    {
        var grid = new GridSize(checked(Panels(outputs) * Steps(inputs)));
        var arguments = new KernelArguments().With(codes);
        return format == WeightFormat.Int8
            ? new KernelLaunch(ArrangeInt8, grid, 0, arguments)
            : new KernelLaunch(ArrangeInt4, grid, 0, arguments.With(format == WeightFormat.Int4 ? unchecked((int)0x88888888) : 0).With(format == WeightFormat.Int4 ? 0 : 1));
    }

    private static bool TakesTiles(ICudaDevice device, int tokens) => HopperModule.IsFor(device.ComputeCapability) && tokens > WideFrom;

    private static FormatKernels Of(WeightFormat format, TokenOrder order)
        => order != TokenOrder.Nibbles ? Formats[(int)format]
            : format == WeightFormat.Int4 ? OfNibbles
            : throw new ArgumentException($"{format} reads no nibbles.", nameof(order));

    private static int Panels(int outputs) => outputs / PanelOutputs;

    private static int Steps(int inputs) => PrepareKernels.Stride(inputs) / StepInputs;

    private static int Divide(int count, int size) => (count + size - 1) / size;

    /// <summary>A format's kernels, and the constants that they are compiled with.</summary>
    private sealed class FormatKernels
    {
        public FormatKernels(KernelModule module, string name, int rowBytes, int vectors, int stages, int decodePanels, bool isWide = false)
        {
            (RowBytes, StepBytes, DecodePanels) = (rowBytes, vectors * 32 * 16, decodePanels);
            RingBytes = stages * ((PrefillTokens * rowBytes) + (PrefillPanels * StepBytes));
            Decode8 = new(module, $"decode8_{name}", Threads);
            Decode16 = new(module, $"decode16_{name}", Threads);
            Prefill = new(module, $"prefill_{name}", Threads, RingBytes);

            // A ring of stages: tokens, the weight's panels, two barriers each.
            const int StageTokenBytes = WideTokens * StageInputs;
            Wide = isWide
                ? new(HopperModule, $"wide_{name}", WideThreads, SwizzleAlignment + (WideStages * (StageTokenBytes + (PrefillPanels * StageInputs / StepInputs * StepBytes) + BarrierBytes)))
                : null;
        }

        public int RowBytes { get; }

        public int StepBytes { get; }

        public int DecodePanels { get; }

        public int RingBytes { get; }

        public Kernel Decode8 { get; }

        public Kernel Decode16 { get; }

        public Kernel Prefill { get; }

        /// <summary>Hopper's, if the format has one.</summary>
        public Kernel? Wide { get; }

        public IEnumerable<Kernel> All => Wide is null ? [Decode8, Decode16, Prefill] : [Decode8, Decode16, Prefill, Wide];
    }
}
