using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>What a decoder does between its linear layers: M-RoPE, the cache, attention, the rows that the head reads. A cache is [capacity, key heads · d] BF16, keys and values apart; how many tokens it holds is read from device memory.</summary>
public static class DecoderKernels
{
    private const int TileTokens = 64;
    private const int DecodeWarps = 4;
    private const int MaxSharing = 16;
    private const int MaxDecodeBlocks = 32;
    private const int KeysOfStep = 32;
    private const int HeadsOfBlock = 8;
    private static readonly int[] HeadSizes = [32, 64, 128, 256];
    private static readonly KernelModule Module = new("decoder.sm80.ptx", 80);
    private static readonly Kernel NormKernel = new(Module, "norm_heads", 32 * HeadsOfBlock);
    private static readonly Kernel RotateKernel = new(Module, "rotate_append", 256);
    private static readonly Kernel TakeKernel = new(Module, "take_rows", 256);
    private static readonly Kernel MergeKernel = new(Module, "attend_merge", 128);
    private static readonly Kernel[] PrefillKernels = [.. HeadSizes.Select(size => new Kernel(Module, $"attend_prefill_{size}", 128, PrefillShared(size)))];
    private static readonly Kernel[] DecodeKernels = [.. HeadSizes.Select(size => new Kernel(Module, $"attend_decode_{size}", 128))];

    /// <summary>Every kernel of the module, that of <see cref="ArrangeKernels"/> included.</summary>
    public static IReadOnlyList<Kernel> All { get; } = [ArrangeKernels.Kernel, NormKernel, RotateKernel, TakeKernel, MergeKernel, .. PrefillKernels, .. DecodeKernels];

    /// <summary>Whether attention with heads of <paramref name="headSize"/> values can run.</summary>
    public static bool Supports(int headSize) => HeadSizes.Contains(headSize);

    /// <summary>Norms every head of queries and keys in place, by root mean squares; the processor's values.</summary>
    /// <param name="qkv">[M, stride] FP32: queries, keys, values.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="heads">The decoder's heads.</param>
    /// <param name="queries">The queries' gain, [d], and ε.</param>
    /// <param name="keys">The keys'.</param>
    /// <param name="tokens">M.</param>
    public static KernelLaunch NormHeads(DevicePointer qkv, long stride, in HeadShape heads, (DevicePointer Gain, float Epsilon) queries, (DevicePointer Gain, float Epsilon) keys, int tokens)
        => new(NormKernel, new GridSize(tokens, (heads.Queries + heads.Keys + HeadsOfBlock - 1) / HeadsOfBlock), 0, new KernelArguments().With(qkv).With(stride).With(heads.Queries).With(heads.Keys).With(heads.Size)
            .With(queries.Gain).With(queries.Epsilon).With(keys.Gain).With(keys.Epsilon));

    /// <summary>Rotates queries in place, and puts rotated keys and values behind the cached ones.</summary>
    /// <param name="qkv">[M, stride] FP32: queries, keys, values.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="heads">The decoder's heads.</param>
    /// <param name="cosines">[M, r/2] FP32, of r rotated values a head.</param>
    /// <param name="sines">[M, r/2] FP32.</param>
    /// <param name="cached">How many tokens the cache holds, 32 bits on the device.</param>
    /// <param name="keys">The cache's keys.</param>
    /// <param name="values">The cache's values.</param>
    /// <param name="tokens">M.</param>
    /// <param name="sequence">Above 0: token t is of sequence t, whose cache lies so many values behind that of t − 1; <paramref name="cached"/> counts each.</param>
    public static KernelLaunch RotateAppend(
        DevicePointer qkv, long stride, in HeadShape heads, DevicePointer cosines, DevicePointer sines, DevicePointer cached, DevicePointer keys, DevicePointer values, int tokens, long sequence = 0)
        => new(RotateKernel, new GridSize(tokens), 0, new KernelArguments().With(qkv).With(stride).With(heads.Queries).With(heads.Keys).With(heads.Size).With(heads.Rotated / 2)
            .With(cosines).With(sines).With(cached).With(keys).With(values).With(sequence));

    /// <summary>Causal attention of M queries that follow the cached tokens, whose own keys are in the cache: out = softmax(q·Kᵀ/√d)·V.</summary>
    /// <param name="queries">[M, stride] FP32, rotated.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="heads">The decoder's heads.</param>
    /// <param name="keys">The cache's keys.</param>
    /// <param name="values">The cache's values.</param>
    /// <param name="cached">How many tokens were cached before the M, 32 bits on the device.</param>
    /// <param name="output">[M, heads · d] FP32.</param>
    /// <param name="tokens">M.</param>
    public static KernelLaunch Attend(
        DevicePointer queries, long stride, in HeadShape heads, DevicePointer keys, DevicePointer values, DevicePointer cached, DevicePointer output, int tokens)
        => new(PrefillKernels[Array.IndexOf(HeadSizes, heads.Size)], new GridSize((tokens + TileTokens - 1) / TileTokens, heads.Queries), PrefillShared(heads.Size),
            new KernelArguments().With(queries).With(stride).With(keys).With(values).With(cached).With(output).With((long)heads.Queries * heads.Size)
                .With(tokens).With(heads.Queries).With(heads.Keys).With(Scale(heads)));

    /// <summary>Into how many parts the keys of a decode step are divided at most; a sequence has as many as its own length asks for, whatever the capacity. 0 when the heads are not for the decode kernel.</summary>
    public static int DecodeParts(in HeadShape heads, int capacity, int multiprocessors)
        => heads.Queries / heads.Keys > MaxSharing
            ? 0
            : DecodeWarps * Math.Clamp(Math.Min(2 * multiprocessors / heads.Keys, capacity / (2 * DecodeWarps * KeysOfStep)), 1, MaxDecodeBlocks);

    /// <summary>The bytes that the parts of a decode step leave to be merged.</summary>
    public static long PartialBytes(in HeadShape heads, int parts) => (long)parts * heads.Queries * (heads.Size + 4) * sizeof(float);

    /// <summary>As <see cref="Attend"/> for one token of each sequence, its keys divided; <see cref="Merge"/> follows.</summary>
    /// <param name="queries">[sequences, stride] FP32, rotated.</param>
    /// <param name="stride">Values from row to row.</param>
    /// <param name="heads">The decoder's heads.</param>
    /// <param name="keys">The first sequence's keys.</param>
    /// <param name="values">The first sequence's values.</param>
    /// <param name="sequence">Values from one sequence's cache to the next's.</param>
    /// <param name="cached">How many tokens were cached before, 32 bits per sequence on the device.</param>
    /// <param name="partial"><see cref="PartialBytes"/> per sequence.</param>
    /// <param name="parts">Of <see cref="DecodeParts"/>.</param>
    /// <param name="sequences">How many.</param>
    public static KernelLaunch AttendOne(
        DevicePointer queries, long stride, in HeadShape heads, DevicePointer keys, DevicePointer values, long sequence, DevicePointer cached, DevicePointer partial, int parts, int sequences = 1)
        => new(DecodeKernels[Array.IndexOf(HeadSizes, heads.Size)], new GridSize(heads.Keys, parts / DecodeWarps, sequences), 0,
            new KernelArguments().With(queries).With(stride).With(keys).With(values).With(sequence).With(cached).With(partial).With(heads.Queries).With(heads.Keys).With(Scale(heads)));

    /// <summary>Puts the parts of <see cref="AttendOne"/> together, in their order.</summary>
    public static KernelLaunch Merge(DevicePointer partial, DevicePointer cached, int parts, in HeadShape heads, DevicePointer output, int sequences = 1)
        => new(MergeKernel, new GridSize(heads.Queries, sequences), 0, new KernelArguments().With(partial).With(cached).With(parts / DecodeWarps).With(heads.Size).With(output));

    /// <summary>target[i] = hidden[first + i] + branch[first + i] for <paramref name="count"/> rows.</summary>
    public static KernelLaunch TakeRows(DevicePointer hidden, DevicePointer branch, DevicePointer first, DevicePointer target, int count, int columns)
        => new(TakeKernel, new GridSize(count), 0, new KernelArguments().With(hidden).With(branch).With(first).With(target).With(columns));

    // 1/√d, and log2 e: the kernels exponentiate in powers of two.
    private static float Scale(in HeadShape heads) => (float)(1.4426950408889634 / Math.Sqrt(heads.Size));

    // Two stages of keys and values; of wide heads half as many, since not every device has the room.
    private static int PrefillShared(int size) => 2 * 2 * (size > 128 ? TileTokens / 2 : TileTokens) * (size + 8) * sizeof(ushort);
}
