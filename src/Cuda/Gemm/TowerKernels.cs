using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>What the vision and audio towers do between their linear layers. Heads are padded with zeros to <see cref="PaddedHead"/> values.</summary>
public static class TowerKernels
{
    private const int Threads = 256;
    private const int TileQueries = 64;
    private static readonly int[] HeadSizes = [32, 64, 96, 128];
    private static readonly KernelModule Module = new("towers.sm80.ptx", 80);
    private static readonly Kernel SplitKernel = new(Module, "split_heads", Threads);
    private static readonly Kernel ActivateKernel = new(Module, "prepare_activated", Threads);
    private static readonly Kernel TapsKernel = new(Module, "prepare_taps", Threads);
    private static readonly Kernel PlaceKernel = new(Module, "place_rows", Threads);
    private static readonly Kernel PoolKernel = new(Module, "pool_rows", Threads);
    private static readonly Kernel LayerNormKernel = new(Module, "prepare_layer_norm", Threads, PrepareKernels.MaxInputs * sizeof(float));
    private static readonly Kernel[] AttendKernels = [.. HeadSizes.Select(size => new Kernel(Module, $"attend_segment_{size}", 128, AttendShared(size)))];

    /// <summary>Every kernel of the module.</summary>
    public static IReadOnlyList<Kernel> All { get; } = [SplitKernel, ActivateKernel, TapsKernel, PlaceKernel, PoolKernel, LayerNormKernel, .. AttendKernels];

    /// <summary>Whether attention with heads of <paramref name="headSize"/> values can run.</summary>
    public static bool Supports(int headSize) => headSize % 4 == 0 && headSize <= HeadSizes[^1];

    /// <summary>The values of a head in the kernels' operands.</summary>
    public static int PaddedHead(int headSize) => HeadSizes.First(size => size >= headSize);

    /// <summary>The queries of segments in tiles, as <see cref="Attend"/> takes them: four numbers each.</summary>
    /// <param name="bounds">Where segments begin, ascending, from 0; the last entry is their end.</param>
    public static int[] Tiles(ReadOnlySpan<int> bounds)
    {
        var tiles = new List<int>();
        for (var segment = 1; segment < bounds.Length; segment++)
        {
            for (var first = bounds[segment - 1]; first < bounds[segment]; first += TileQueries)
            {
                tiles.AddRange([first, Math.Min(first + TileQueries, bounds[segment]), bounds[segment - 1], bounds[segment]]);
            }
        }

        return [.. tiles];
    }

    /// <summary>Parts queries, keys and values, turns the first two, and pads heads.</summary>
    /// <param name="qkv">[M, stride] FP32: queries, keys, values.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="size">d, the values of a head.</param>
    /// <param name="angles">Cosines then sines, [M, d/2] FP32 each; null: nothing is turned.</param>
    /// <param name="tokens">M.</param>
    /// <param name="target">Where the operands go.</param>
    public static KernelLaunch Split(DevicePointer qkv, long stride, int heads, int size, DevicePointer angles, int tokens, in TowerHeads target)
        => new(SplitKernel, new GridSize(tokens), 0, new KernelArguments().With(qkv).With(stride).With(heads).With(size).With(PaddedHead(size))
            .With(angles).With(angles == DevicePointer.Null ? angles : angles + ((long)tokens * (size / 2) * sizeof(float))).With(target.Queries).With(target.Keys).With(target.Values));

    /// <summary>softmax(q·Kᵀ/√d)·V of each tile's queries over its segment.</summary>
    /// <param name="source">The operands.</param>
    /// <param name="heads">Heads.</param>
    /// <param name="size">d.</param>
    /// <param name="tiles">[<paramref name="count"/>, 4] of <see cref="Tiles"/>.</param>
    /// <param name="count">Tiles.</param>
    /// <param name="output">[M, heads · d] FP32.</param>
    public static KernelLaunch Attend(in TowerHeads source, int heads, int size, DevicePointer tiles, int count, DevicePointer output)
    {
        var kernel = AttendKernels[Array.IndexOf(HeadSizes, PaddedHead(size))];
        return new KernelLaunch(kernel, new GridSize(count, heads), kernel.MaxSharedBytes, new KernelArguments().With(source.Queries).With(source.Keys).With(source.Values)
            .With(tiles).With(output).With(heads).With(size).With((float)(1.4426950408889634 / Math.Sqrt(size))));
    }

    /// <summary>Prepares a function of x, numbered as <c>Activation</c> is, as BF16; the processor's values, rounded.</summary>
    public static KernelLaunch Activate(DevicePointer x, int tokens, int inputs, DevicePointer prepared, int function)
        => new(ActivateKernel, new GridSize(tokens), 0, new KernelArguments().With(x).With((long)inputs).With(inputs).With(prepared).With(PrepareKernels.Stride(inputs)).With(function));

    /// <summary>Prepares the rows under a convolution's kernel of width 3: row m holds column i of x[taps[3m + tap]] at 3i + tap.</summary>
    /// <param name="x">[…, columns] FP32.</param>
    /// <param name="columns">Columns of x.</param>
    /// <param name="taps">[M, 3] 32 bits: rows of x, or −1 for zeros.</param>
    /// <param name="tokens">M.</param>
    /// <param name="activated">Whether GELU(x) is meant.</param>
    /// <param name="prepared">BF16.</param>
    public static KernelLaunch Taps(DevicePointer x, int columns, DevicePointer taps, int tokens, bool activated, DevicePointer prepared)
        => new(TapsKernel, new GridSize(tokens), 0, new KernelArguments().With(x).With(columns).With(taps).With(activated ? 1 : 0).With(prepared).With(PrepareKernels.Stride(checked(3 * columns))));

    /// <summary>hidden = GELU(x) + positions[places], [M, H] FP32 each but places, 32 bits.</summary>
    public static KernelLaunch Place(DevicePointer x, DevicePointer positions, DevicePointer places, int tokens, int columns, DevicePointer hidden)
        => new(PlaceKernel, new GridSize(tokens), 0, new KernelArguments().With(x).With(positions).With(places).With(hidden).With(columns));

    /// <summary>The mean of every two rows of hidden + branch: <paramref name="pairs"/> rows.</summary>
    public static KernelLaunch Pool(DevicePointer hidden, DevicePointer branch, int pairs, int columns, DevicePointer target)
        => new(PoolKernel, new GridSize(pairs), 0, new KernelArguments().With(hidden).With(branch).With(target).With(columns));

    /// <summary>hidden += branch (unless null), in place; then its layer norm as BF16, the processor's values rounded.</summary>
    public static KernelLaunch LayerNorm(DevicePointer hidden, DevicePointer branch, DevicePointer gain, DevicePointer bias, float epsilon, int tokens, int inputs, DevicePointer prepared)
        => new(LayerNormKernel, new GridSize(tokens), checked(inputs * sizeof(float)), new KernelArguments().With(hidden).With(branch).With(gain).With(bias).With(epsilon).With(inputs)
            .With(prepared).With(PrepareKernels.Stride(inputs)));

    private static int AttendShared(int size) => 2 * 2 * TileQueries * (size + 8) * sizeof(ushort);
}
