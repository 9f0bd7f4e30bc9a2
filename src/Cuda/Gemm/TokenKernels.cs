using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>What enters a decoder and what leaves it: rows of the embedding and of media, and the choice of the next token.</summary>
public static class TokenKernels
{
    /// <summary>The source of a row of zeros.</summary>
    public const int NoSource = int.MinValue;

    /// <summary>The bytes of a choice: the logit, then the id.</summary>
    public const int ChoiceBytes = 2 * sizeof(int);

    /// <summary>The most logits of a row: their weights add up within 64 bits, see <c>TokenWeights</c>.</summary>
    public const int MaxDrawn = 1 << 24;

    private const int Threads = 256;
    private const int DrawThreads = 1024;
    private const int LogitsOfPart = 8 * Threads;
    private static readonly KernelModule Module = new("tokens.sm80.ptx", 80);
    private static readonly Kernel EmbedKernel = new(Module, "embed", Threads);
    private static readonly Kernel AddMediaKernel = new(Module, "add_media", Threads);
    private static readonly Kernel PartsKernel = new(Module, "choose_parts", Threads);
    private static readonly Kernel ChooseKernel = new(Module, "choose", Threads);
    private static readonly Kernel DrawKernel = new(Module, "draw", DrawThreads);

    /// <summary>Every kernel of the module.</summary>
    public static IReadOnlyList<Kernel> All { get; } = [EmbedKernel, AddMediaKernel, PartsKernel, ChooseKernel, DrawKernel];

    /// <summary>The source of a row of media.</summary>
    public static int Medium(int row) => -1 - row;

    /// <summary>Fills rows from the embedding and from media.</summary>
    /// <param name="sources">[M], 32 bits: a token id of the table, <see cref="Medium"/>, or <see cref="NoSource"/>.</param>
    /// <param name="table">[V, H] BF16.</param>
    /// <param name="inFragmentOrder">Whether the table lies as <see cref="WeightFormat.BFloat16"/> rather than row-major.</param>
    /// <param name="media">[rows, H] FP32; null where no source names one.</param>
    /// <param name="hidden">[M, H] FP32, overwritten.</param>
    /// <param name="tokens">M.</param>
    /// <param name="columns">H, a multiple of 4.</param>
    public static KernelLaunch Embed(DevicePointer sources, DevicePointer table, bool inFragmentOrder, DevicePointer media, DevicePointer hidden, int tokens, int columns)
        => new(EmbedKernel, new GridSize(tokens), 0, new KernelArguments().With(sources).With(table)
            .With(inFragmentOrder ? PrepareKernels.Stride(columns) / GemmKernels.StepInputs : 0).With(media).With(hidden).With(columns));

    /// <summary>Adds the rows of media to those rows that they fill.</summary>
    /// <param name="sources">As <see cref="Embed"/> takes them.</param>
    /// <param name="media">[rows, H] FP32.</param>
    /// <param name="hidden">[M, H] FP32.</param>
    /// <param name="tokens">M.</param>
    /// <param name="columns">H, a multiple of 4.</param>
    public static KernelLaunch AddMedia(DevicePointer sources, DevicePointer media, DevicePointer hidden, int tokens, int columns)
        => new(AddMediaKernel, new GridSize(tokens), 0, new KernelArguments().With(sources).With(media).With(hidden).With(columns));

    /// <summary>Into how many parts the logits of a row are divided.</summary>
    public static int ChoiceParts(int vocabulary) => Math.Clamp(vocabulary / LogitsOfPart, 1, Threads);

    /// <summary>The largest logit of each part, the lowest id of equals; <see cref="Choose"/> follows.</summary>
    /// <param name="logits">[R, V] FP32.</param>
    /// <param name="vocabulary">V.</param>
    /// <param name="parts">[R, <see cref="ChoiceParts"/>] choices, overwritten.</param>
    /// <param name="rows">R.</param>
    public static KernelLaunch ChooseParts(DevicePointer logits, int vocabulary, DevicePointer parts, int rows)
        => new(PartsKernel, new GridSize(ChoiceParts(vocabulary), rows), 0, new KernelArguments().With(logits).With(vocabulary).With(parts));

    /// <summary>The largest logit of each row from those of its parts: [R] choices.</summary>
    public static KernelLaunch Choose(DevicePointer parts, int vocabulary, DevicePointer chosen, int rows)
        => new(ChooseKernel, new GridSize(rows), 0, new KernelArguments().With(parts).With(ChoiceParts(vocabulary)).With(chosen));

    /// <summary>Draws a token where chance decides, the processor's from the same logits; follows <see cref="Choose"/>.</summary>
    /// <param name="logits">[R, V] FP32.</param>
    /// <param name="vocabulary">V, at most <see cref="MaxDrawn"/>.</param>
    /// <param name="draws">[R] <c>TokenDraw</c>.</param>
    /// <param name="chosen">[R] choices of the largest logits; the ids of rows that are not greedy are replaced.</param>
    /// <param name="rows">R.</param>
    public static KernelLaunch Draw(DevicePointer logits, int vocabulary, DevicePointer draws, DevicePointer chosen, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabulary, MaxDrawn);
        return new(DrawKernel, new GridSize(rows), 0, new KernelArguments().With(logits).With(vocabulary).With(draws).With(chosen));
    }
}
